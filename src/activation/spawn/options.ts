/** Options of a caller, of whom nothing is known but that it is an object. */
export type Options = Readonly<Record<string, unknown>>;

export function isOptions(value: unknown): value is Options {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A copy of the same kind with other values; the caller's object is left as it is. */
export function copyWith(options: Options, values: Options): Options {
  const copy = Object.assign(Object.create(Object.getPrototypeOf(options) as object | null) as Options, options);
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(copy, name, { value, writable: true, enumerable: true, configurable: true });
  }
  return copy;
}
