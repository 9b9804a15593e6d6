import { GrpcMessages } from './grpc-messages.js';

/** Compressions that are read. */
const encodings = ['gzip', 'deflate'] as const;

/**
 * The messages of a body of gRPC, one after the other and decompressed, for a search in them; `null` where one of them cannot be
 * read. What of the last message is missing is left out. The compression is found by trying, for a body does not name it.
 */
export function readGrpcText(body: Buffer): Buffer | null {
  for (const encoding of encodings) {
    const messages: Buffer[] = [];
    let isRead = true;
    const reader = new GrpcMessages({
      encoding,
      onMessage: (message) => messages.push(Buffer.from(message)),
      onProblem: () => {
        isRead = false;
      },
    });
    reader.write(body);
    if (isRead) return Buffer.concat(messages);
  }
  return null;
}
