/** @typedef {import('./provider.js').SeenRequest} SeenRequest */

const maxRequests = 10_000;
const maxBodyBytes = 1024 * 1024;
const maxBodyBytesTogether = 64 * 1024 * 1024;

/** What a provider was asked, bounded: the newest requests, and the bodies of as many of them as fit. */
export class RequestLog {
  /** @type {SeenRequest[]} */
  requests = [];
  /** Requests whose body is kept, oldest first. @type {SeenRequest[]} */
  #withBody = [];
  #bodyBytes = 0;

  /**
   * Notes a request; what becomes of it is filled in while it is served.
   *
   * @param {import('node:http').IncomingMessage} request
   * @param {{ bytes: number, json: any }} received
   * @returns {SeenRequest}
   */
  note(request, received) {
    /** @type {SeenRequest} */
    const seen = {
      method: request.method ?? '',
      httpVersion: request.httpVersion,
      path: request.url ?? '',
      headers: request.headers,
      rawHeaders: request.rawHeaders,
      bodyBytes: received.bytes,
      body: null,
      asksForUsage: received.json?.stream_options?.include_usage === true,
      provider: null,
      api: null,
      stream: false,
      status: 0,
      requestId: null,
      responseId: null,
      bill: null,
      tellsBill: false,
      end: null,
      frames: 0,
    };
    this.requests.push(seen);
    if (this.requests.length > maxRequests) this.requests.shift();
    if (received.json !== null && received.bytes <= maxBodyBytes) this.#keepBody(seen, received.json);
    return seen;
  }

  /**
   * @param {SeenRequest} seen
   * @param {any} body
   */
  #keepBody(seen, body) {
    seen.body = body;
    this.#bodyBytes += seen.bodyBytes;
    this.#withBody.push(seen);
    while (this.#bodyBytes > maxBodyBytesTogether || this.#withBody.length > maxRequests) {
      const oldest = this.#withBody.shift();
      if (oldest === undefined) return;
      oldest.body = null;
      this.#bodyBytes -= oldest.bodyBytes;
    }
  }
}
