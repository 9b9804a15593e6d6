import { once } from 'node:events';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { constants, createBrotliCompress, createDeflate, createGzip } from 'node:zlib';

/** Flushed after every frame: a compressed stream still arrives frame by frame. */
const compressors = {
  br: () => createBrotliCompress({ flush: constants.BROTLI_OPERATION_FLUSH }),
  gzip: () => createGzip({ flush: constants.Z_SYNC_FLUSH }),
  deflate: () => createDeflate({ flush: constants.Z_SYNC_FLUSH }),
};

/**
 * Sends a reply: a JSON body in one write, a stream with a write for each frame. Waits for a slow client, stops
 * for one that left.
 *
 * @returns {Promise<'whole' | 'cut' | 'client_gone'>} how it ended
 */
export async function sendReply(delivery) {
  const { request, response, seen, behaviour, status, headers, reply, options } = delivery;
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  if (behaviour.kind === 'hang') {
    if (!response.destroyed) await once(response, 'close');
    return 'client_gone';
  }
  seen.status = status;
  const encoding = chooseEncoding(options.compress ?? false, request.headers['accept-encoding']);
  const coding = encoding === null ? {} : { 'content-encoding': encoding, vary: 'Accept-Encoding' };
  const head = { 'content-type': reply.contentType, ...headers, ...coding };
  const sink = encoding === null ? response : compressors[encoding]();
  try {
    if (typeof reply.body === 'string') return await sendBody({ ...delivery, head, sink, gone });
    response.writeHead(status, { ...head, 'cache-control': 'no-cache' });
    response.flushHeaders();
    return await sendFrames({ ...delivery, sink, gone });
  } catch (error) {
    if (gone.signal.aborted) return 'client_gone';
    throw error;
  }
}

async function sendBody({ response, status, reply, head, behaviour, sink, gone }) {
  const bytes = Buffer.from(reply.body);
  if (behaviour.kind === 'cut') {
    response.writeHead(status, { ...head, 'content-length': bytes.length });
    response.write(bytes.subarray(0, Math.floor(bytes.length / 2)));
    return cut(response);
  }
  const length = sink === response ? { 'content-length': bytes.length } : {};
  response.writeHead(status, { ...head, ...length });
  if (sink !== response) sink.pipe(response);
  sink.end(bytes);
  return await finish(response, gone);
}

async function sendFrames({ response, reply, behaviour, errorFrame, seen, options, sink, gone }) {
  if (sink !== response) sink.pipe(response);
  for (const frame of reply.body) {
    if (behaviour.kind !== 'serve' && seen.frames === behaviour.afterFrames) break;
    if (seen.frames > 0)
      await (options.pauseMs ? pause(options.pauseMs, undefined, { signal: gone.signal }) : nextTurn());
    if (gone.signal.aborted) return 'client_gone';
    if (!sink.write(frame)) await once(sink, 'drain', { signal: gone.signal });
    seen.frames += 1;
  }
  if (behaviour.kind === 'cut') {
    if (sink !== response) await new Promise((resolve) => sink.flush(resolve));
    return cut(response);
  }
  if (behaviour.kind === 'break') sink.write(errorFrame);
  sink.end();
  return await finish(response, gone);
}

/** Closes the connection before the reply's end, after what was written so far. */
function cut(response) {
  response.socket?.destroySoon();
  return 'cut';
}

async function finish(response, gone) {
  if (!response.writableFinished) await once(response, 'finish', { signal: gone.signal });
  return 'whole';
}

/**
 * @param {boolean | 'br' | 'gzip' | 'deflate'} wanted
 * @param {string | undefined} accepted the client's accept-encoding
 * @returns {'br' | 'gzip' | 'deflate' | null}
 */
function chooseEncoding(wanted, accepted) {
  if (wanted === false || accepted === undefined) return null;
  const offers = accepted.split(',').map((part) => part.split(';')[0]?.trim().toLowerCase());
  const candidates = wanted === true ? /** @type {const} */ (['br', 'gzip', 'deflate']) : [wanted];
  return candidates.find((name) => offers.includes(name)) ?? null;
}
