/** Tells when the reader of a stream leaves it before its end. */
export interface LeavingWatch {
  /** Resolves when the reader left, one turn of the event loop later; stays pending otherwise. */
  readonly left: Promise<void>;
  /** Takes the watch off the stream and the signal. May be called twice. */
  readonly release: () => void;
}

/**
 * Watches a stream that is read by `for await`, which calls `return` when it is left by `break`, `return` or an error, and a
 * signal. The stream stays the object it is: the iterator it opens is watched, by a property of the stream's own until
 * `release`. One that is no asynchronous iterable, or takes no property, is watched by the signal alone.
 */
export function watchLeaving(stream: unknown, signal: AbortSignal | undefined): LeavingWatch {
  let tell = (): void => undefined;
  const left = new Promise<void>((resolve) => {
    // A turn later: who reads to its own end and leaves then has said by then what it found.
    tell = () => void setImmediate(resolve);
  });
  const unwatch = isIterable(stream) ? watchIterable(stream, tell) : () => undefined;
  if (signal?.aborted === true) tell();
  else signal?.addEventListener('abort', tell, { once: true });
  return {
    left,
    release: () => {
      unwatch();
      signal?.removeEventListener('abort', tell);
    },
  };
}

function isIterable(stream: unknown): stream is AsyncIterable<unknown> {
  return (
    typeof stream === 'object' &&
    stream !== null &&
    Symbol.asyncIterator in stream &&
    typeof stream[Symbol.asyncIterator] === 'function'
  );
}

function watchIterable(stream: AsyncIterable<unknown>, onLeft: () => void): () => void {
  const own = Object.getOwnPropertyDescriptor(stream, Symbol.asyncIterator);
  if (own?.configurable === false || (own === undefined && !Object.isExtensible(stream))) return () => undefined;
  const open = stream[Symbol.asyncIterator];
  const watched = (): AsyncIterator<unknown> => watchIterator(open.call(stream), onLeft);
  Object.defineProperty(stream, Symbol.asyncIterator, { value: watched, configurable: true, writable: true });
  return () => {
    // Not ours any more when somebody put another in its place.
    if (Object.getOwnPropertyDescriptor(stream, Symbol.asyncIterator)?.value !== watched) return;
    if (own === undefined) Reflect.deleteProperty(stream, Symbol.asyncIterator);
    else Object.defineProperty(stream, Symbol.asyncIterator, own);
  };
}

function watchIterator(iterator: AsyncIterator<unknown>, onLeft: () => void): AsyncIterableIterator<unknown> {
  let ended = false;
  const watched: AsyncIterableIterator<unknown> = {
    next: async (...values) => {
      const step = await iterator.next(...values);
      if (step.done === true) ended = true;
      return step;
    },
    [Symbol.asyncIterator]: () => watched,
  };
  watched.return = async (value) => {
    try {
      return (await iterator.return?.(value)) ?? { done: true, value: await value };
    } finally {
      if (!ended) onLeft();
      ended = true;
    }
  };
  if (iterator.throw !== undefined)
    watched.throw = async (error) => (await iterator.throw?.(error)) as IteratorResult<unknown>;
  return watched;
}
