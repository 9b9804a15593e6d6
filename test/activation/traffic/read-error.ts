/** Everything a caller may tell errors apart by, down the chain of causes; no stacks. */
export function readError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const facts = ['code', 'errno', 'syscall', 'hostname', 'address', 'port', 'reason'].map((name) => [
    name,
    Reflect.get(error, name) as unknown,
  ]);
  return {
    constructor: error.constructor.name,
    name: error.name,
    message: error.message,
    ...Object.fromEntries(facts),
    errors: (Reflect.get(error, 'errors') as unknown[] | undefined)?.map(readError),
    cause: error.cause === undefined ? undefined : readError(error.cause),
  };
}
