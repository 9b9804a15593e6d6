import type { WireTools } from '../call/ports.js';
import { EventStreamText } from '../providers/event-stream-text.js';
import { isAwsEventStream } from '../providers/framing.js';
import { makeRefusal } from '../providers/refusal.js';
import { readRequestId } from '../providers/request-id.js';
import { openDecoder, openEncoder } from '../providers/wire/content-decoding.js';
import { readGrpcText } from '../providers/wire/grpc-text.js';
import { JsonReader, type JsonReading } from '../providers/wire/json-reader.js';
import { openFormReader } from '../providers/wire/multipart-reader.js';
import { askForStreamUsage, UsageFrameFilter } from '../providers/wire/usage-frames.js';
import { SocketFilter } from '../providers/wire/websocket/socket-filter.js';
import { SocketMessages } from '../providers/wire/websocket/socket-messages.js';
import { readWireSession } from '../providers/wire-session.js';

/** Request bodies above this are read with long strings left out, piece by piece, instead of parsed at once. */
const maxWholeRequestBytes = 64 * 1024;

/** The readers of `providers/`, as `call/` takes them. */
export const wireTools: WireTools = {
  openDecoder,
  openEncoder,
  openSocketMessages: (extensions, sink) => new SocketMessages(extensions, sink),
  openSocketFilter: (extensions, ports) => new SocketFilter(extensions, ports),
  openJsonReader: () => new JsonReader({ maxWholeBytes: maxWholeRequestBytes }),
  openFormReader,
  readWholeJson,
  openBodyText: (contentType) => (isAwsEventStream(contentType) ? new EventStreamText() : null),
  isBinaryStream: isAwsEventStream,
  readGrpcText,
  openFrameFilter: () => new UsageFrameFilter(),
  askForStreamUsage,
  makeRefusal,
  readRequestId,
  readWireSession,
};

function readWholeJson(text: Buffer): JsonReading {
  const reader = new JsonReader({ maxWholeBytes: Number.POSITIVE_INFINITY });
  reader.write(text);
  return reader.end();
}
