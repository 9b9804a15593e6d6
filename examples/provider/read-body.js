import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { Decompress } from 'fzstd';

const maxBodyBytes = 128 * 1024 * 1024;
/** @type {Map<string, (raw: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>>} */
const decoders = new Map([
  ['gzip', promisify(gunzip)],
  ['br', promisify(brotliDecompress)],
  ['deflate', promisify(inflate)],
  // NOTE: node:zlib knows zstd from Node 22.15 on.
  ['zstd', inflateZstd],
]);

/**
 * Reads a request's body whole, and as JSON when it says something.
 *
 * @param {import('node:http').IncomingMessage} request
 * @returns {Promise<{ bytes: number, json: any, problem: { status: number, message: string } | null }>} `bytes` as
 *   received; `json` is `null` for an empty or unreadable body, and `problem` says why it could not be read
 */
export async function readBody(request) {
  /** @type {Buffer[]} */
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    // Read to the end all the same: an answer given while the client still writes may never reach it.
    if (bytes <= maxBodyBytes) chunks.push(chunk);
  }
  if (bytes > maxBodyBytes) return refuse(bytes, 413, `The body has more than ${maxBodyBytes} bytes.`);
  if (bytes === 0) return { bytes, json: null, problem: null };
  const encoding = request.headers['content-encoding'] ?? 'identity';
  const decode = decoders.get(encoding);
  if (decode === undefined && encoding !== 'identity') {
    return refuse(bytes, 415, `The content-encoding ${encoding} is not known.`);
  }
  try {
    const raw = Buffer.concat(chunks);
    const plain = decode === undefined ? raw : await decode(raw, { maxOutputLength: maxBodyBytes });
    return { bytes, json: JSON.parse(plain.toString('utf8')), problem: null };
  } catch {
    return refuse(bytes, 400, 'We could not parse the JSON body of your request.');
  }
}

/**
 * @param {Buffer} raw
 * @param {{ maxOutputLength: number }} options
 */
async function inflateZstd(raw, { maxOutputLength }) {
  /** @type {Uint8Array[]} */
  const pieces = [];
  let left = maxOutputLength;
  const decoder = new Decompress((piece) => {
    left -= piece.length;
    if (left < 0) throw new RangeError('The body is larger than it may be.');
    pieces.push(piece);
  });
  decoder.push(raw, true);
  return Buffer.concat(pieces);
}

/**
 * @param {number} bytes
 * @param {number} status
 * @param {string} message
 */
function refuse(bytes, status, message) {
  return { bytes, json: null, problem: { status, message } };
}
