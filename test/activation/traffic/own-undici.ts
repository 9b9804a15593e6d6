/**
 * Node's own copy of undici, loaded before any package's, so that its global dispatcher is the one in place: to be
 * imported first.
 */
void globalThis.Response;

export const ownDispatcher: object = Reflect.get(globalThis, Symbol.for('undici.globalDispatcher.1')) as object;
