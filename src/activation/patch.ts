/** One property of an object replaced by ours, to be undone in any order with whoever else replaces it. */
export interface Patch {
  /**
   * Puts the property back as it was. Where somebody has replaced ours meanwhile, theirs stays, and what of ours it
   * still calls passes everything on.
   */
  undo(): void;
}

type Callable = (this: never, ...args: never[]) => unknown;

/**
 * Replaces a function under its name, arity and property attributes.
 *
 * @param make given the original; what it returns is called with the caller's `this` and arguments, as long as the patch
 *   stands, and the original from then on
 */
export function patchMethod<F extends Callable>(holder: object, name: PropertyKey, make: (original: F) => F): Patch {
  const own = Object.getOwnPropertyDescriptor(holder, name);
  const original = Reflect.get(holder, name) as F;
  const inner = make(original);
  let isUndone = false;
  const value = function (this: unknown, ...args: never[]): unknown {
    return Reflect.apply(isUndone ? original : inner, this, args);
  };
  copyLooks(original, value);
  const base = own ?? { writable: true, configurable: true, enumerable: false };
  Object.defineProperty(
    holder,
    name,
    'value' in base || own === undefined ? { ...base, value } : makeDataFrom(base, value),
  );
  return {
    undo: () => {
      if (isUndone) return;
      isUndone = true;
      if (Object.getOwnPropertyDescriptor(holder, name)?.value !== value) return;
      if (own === undefined) Reflect.deleteProperty(holder, name);
      else Object.defineProperty(holder, name, own);
    },
  };
}

/** A property that was an accessor becomes one with a value for as long as it is ours. */
function makeDataFrom({ configurable, enumerable }: PropertyDescriptor, value: unknown): PropertyDescriptor {
  return { configurable: configurable ?? true, enumerable: enumerable ?? false, writable: true, value };
}

/** Everything a caller may look at: name, arity, prototype, promisified form and whatever else hangs on it. */
function copyLooks(from: Callable, to: object): void {
  Object.setPrototypeOf(to, Object.getPrototypeOf(from) as object | null);
  for (const key of Reflect.ownKeys(from)) {
    const descriptor = Object.getOwnPropertyDescriptor(from, key);
    const existing = Object.getOwnPropertyDescriptor(to, key);
    if (descriptor !== undefined && existing?.configurable !== false) Object.defineProperty(to, key, descriptor);
  }
}
