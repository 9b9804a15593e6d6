import { brotliDecompressSync, inflateSync, unzipSync } from 'node:zlib';
import type { ReplyControl, ReplyHandler } from '../core/reply.js';

/** Statuses by which a provider says that it does not take the request as it is. */
const refusals: ReadonlySet<number> = new Set([400, 422]);
/**
 * Such a provider names the member it does not take, in a sentence, a path or a parameter of its error: OpenAI and Azure
 * ("Unknown parameter: 'stream_options'.", "Unrecognized request argument supplied", `#/stream_options`), Mistral and vLLM
 * (`loc` of `extra_forbidden`), Bedrock ("extraneous key [stream_options]"), Google ("Unknown name"), decoders of Go and Rust.
 * Sources: the issues of openai-python 1469 and 2296, openai-agents-python 442, gpustack 429, agno 1066 on GitHub (read
 * 2026-11-27). Validators of JSON Schema may say only that there is one too many (ajv: "must NOT have additional
 * properties").
 */
const blame = /stream_options|include_usage|must not have additional propert/i;
/** The request itself, which some validators give back with whatever they refuse, as JSON, within a string or as Python writes it. */
const echo =
  /\\*["']stream_options\\*["']\s*:\s*\{(?:[^{}]*,)?\s*\\*["']include_usage\\*["']\s*:\s*true\s*(?:,[^{}]*)?\}/gi;
const maxHeldBytes = 64 * 1024;
/** Of a compressed refusal that is read. */
const maxReadBytes = 1024 * 1024;

type Step = (handler: ReplyHandler) => void;

/**
 * Hears the reply to a request the tap has changed. A refusal that blames the change is not the client's to get, who
 * never sent that request: it is dropped and `onRefused` called, to send the client's own. Any other reply goes to the
 * handler, a refusal for another reason as soon as it is whole.
 */
export class FirstTry implements ReplyHandler {
  readonly #handler: ReplyHandler;
  readonly #onRefused: () => void;
  #control: ReplyControl | null = null;
  /** A refusal while it is being read; `null` when there is none, or it was decided. */
  #held: Step[] | null = null;
  #body: Buffer[] = [];
  #bodyBytes = 0;
  #coding: string | null = null;
  #dropped = false;

  constructor(handler: ReplyHandler, onRefused: () => void) {
    this.#handler = handler;
    this.#onRefused = onRefused;
  }

  onStart(control: ReplyControl): void {
    this.#control = control;
    this.#handler.onStart(control);
  }

  onInterim(status: number, rawHeaders: string[]): void {
    this.#handler.onInterim?.(status, rawHeaders);
  }

  onHead(status: number, statusMessage: string, rawHeaders: string[], isWhole = false): void {
    if (!refusals.has(status)) return this.#handler.onHead(status, statusMessage, rawHeaders, isWhole);
    const at = rawHeaders.findIndex((value, i) => i % 2 === 0 && value.toLowerCase() === 'content-encoding');
    this.#coding = at === -1 ? null : (rawHeaders[at + 1] ?? '').trim().toLowerCase();
    this.#held = [(handler) => handler.onHead(status, statusMessage, rawHeaders, isWhole)];
  }

  onData(chunk: Buffer): void {
    if (this.#dropped) return;
    if (this.#held === null) return this.#handler.onData(chunk);
    this.#held.push((handler) => handler.onData(chunk));
    this.#body.push(chunk);
    this.#bodyBytes += chunk.length;
    if (this.#bodyBytes > maxHeldBytes) this.#decide();
  }

  onEnd(rawTrailers: string[]): void {
    if (this.#held !== null) this.#decide();
    if (!this.#dropped) this.#handler.onEnd(rawTrailers);
  }

  onError(error: Error): void {
    if (this.#held !== null) this.#release();
    if (!this.#dropped) this.#handler.onError(error);
  }

  /** Of a refusal that cannot be read the change is to blame, rather than that the client be misled. */
  #decide(): void {
    const text = readText(Buffer.concat(this.#body), this.#coding);
    this.#body = [];
    if (text !== null && !blame.test(text.replace(echo, ''))) return this.#release();
    this.#dropped = true;
    this.#held = null;
    this.#control?.abort(new Error('the request is sent again as the client sent it'));
    this.#onRefused();
  }

  #release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const step of held) step(this.#handler);
  }
}

/** `null` for what cannot be read: a coding of another name, or one that is cut. */
function readText(body: Buffer, coding: string | null): string | null {
  if (coding === null || coding === 'identity') return body.toString('latin1');
  const limit = { maxOutputLength: maxReadBytes };
  try {
    if (coding === 'gzip' || coding === 'x-gzip') return unzipSync(body, limit).toString('latin1');
    if (coding === 'br') return brotliDecompressSync(body, limit).toString('latin1');
    return coding === 'deflate' ? inflateSync(body, limit).toString('latin1') : null;
  } catch {
    // Cut, too large, or not what its header says.
    return null;
  }
}
