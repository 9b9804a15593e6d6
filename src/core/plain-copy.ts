/** Whether a value is an object made by `{}`, `Object.create(null)` or `JSON.parse`, of whatever realm. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Sets a property by whatever name: `__proto__` becomes one like any other. */
export function setOwn(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
  else target[name] = value;
}

/**
 * Copies plain data to its depth: lists and plain objects are new, everything else (dates, functions, objects of a class)
 * is shared. A value that holds itself is copied as one that does.
 *
 * @param freeze whether the copies are frozen; what is shared never is.
 */
export function copyPlainData<T>(value: T, freeze = false): T {
  const copies = new Map<object, object>();
  // Without recursion: data may be nested as deep as it likes.
  const left: [source: object, copy: object][] = [];
  const copyOf = (inner: unknown): unknown => {
    if (!Array.isArray(inner) && !isPlainObject(inner)) return inner;
    const known = copies.get(inner);
    if (known !== undefined) return known;
    const copy = Array.isArray(inner) ? [] : {};
    copies.set(inner, copy);
    left.push([inner, copy]);
    return copy;
  };
  const result = copyOf(value);
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const [source, copy] = next as [Record<string, unknown>, Record<string, unknown>];
    for (const name of Object.keys(source)) setOwn(copy, name, copyOf(source[name]));
  }
  if (freeze) for (const copy of copies.values()) Object.freeze(copy);
  return result as T;
}
