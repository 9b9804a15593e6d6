import type { SocketCallFacts, SocketDialect, SocketMessage } from '../../src/core/socket.js';

export interface SeenCall {
  readonly facts: SocketCallFacts;
  readonly kept: readonly unknown[];
  readonly requestBytes: number;
  readonly replyBytes: number;
  readonly last: unknown;
}

/** A message, `C` from the client or `S` from the server. */
export type Passed = readonly ['C' | 'S', unknown];

/** What a dialect makes of the messages of a socket, each a millisecond after the one before, and of its end. */
export function readCalls(dialect: SocketDialect, passed: readonly Passed[], path = '/'): SeenCall[] {
  const seen: SeenCall[] = [];
  let draft = { kept: [] as unknown[], bytes: 0 };
  const reader = dialect.open(
    { path },
    {
      collect: (message, isKept) => {
        draft.bytes += message.wireBytes;
        if (isKept) draft.kept.push(parse(message));
      },
      open: (_atMs, given) => {
        const request = given?.isApart === true ? { kept: [], bytes: 0 } : draft;
        if (given?.isApart !== true) draft = { kept: [], bytes: 0 };
        let replyBytes = 0;
        let isOver = false;
        return {
          addRequest: (message, isKept) => {
            request.bytes += message.wireBytes;
            if (isKept) request.kept.push(parse(message));
          },
          addReply: (message) => {
            replyBytes += message.wireBytes;
          },
          end: (facts, last) => {
            if (isOver) throw new Error('a call ended twice');
            isOver = true;
            const { kept, bytes: requestBytes } = request;
            seen.push({ facts, kept, requestBytes, replyBytes, last: last === null ? null : parse(last) });
          },
        };
      },
    },
  );
  for (const [at, [side, value]] of passed.entries()) {
    const bytes = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
    const message = { bytes, wireBytes: bytes.length, atMs: at + 1 };
    if (side === 'C') reader.readClient(message);
    else reader.readServer(message);
  }
  reader.close();
  reader.close();
  return seen;
}

function parse({ bytes }: SocketMessage): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return bytes.toString();
  }
}
