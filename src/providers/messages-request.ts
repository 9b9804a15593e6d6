import type { CrossedRequest } from '../core/crossing.js';
import type { RawHeaders } from '../core/wire.js';
import { findMembers, findTextStart, type JsonMember, skipSpace, spliceBytes } from './wire/json-members.js';

/** How a cloud wants a request of Anthropic's messages. */
export interface MessagesForm {
  /** For messages: `Amazon Bedrock`. */
  readonly cloud: string;
  /** What its path says, so that the body does not. */
  readonly inPath: readonly ('model' | 'stream')[];
  /** Its `anthropic_version`, which takes the place of the header. */
  readonly version: string;
  /** Whether the betas of the header are to stand in the body as well. */
  readonly betasInBody: boolean;
}

const VERSION = 'anthropic_version';
const BETA = 'anthropic_beta';
const KEYS = ['model', 'stream', VERSION, BETA] as const;

/**
 * Puts a request of Anthropic's messages in a cloud's form: some members out, some in, every other byte kept. A body that
 * says a member twice is not changed, for parsers differ in which they take; nor is one that is no JSON object.
 *
 * ```ts
 * const form = { cloud: 'Amazon Bedrock', inPath: ['model', 'stream'], version: 'bedrock-2023-05-31', betasInBody: true } as const;
 * const request = { body: Buffer.from('{"model":"claude-opus-4-5","max_tokens":9}'), rawHeaders: [] };
 * putInForm(request, form);   // body: {"anthropic_version":"bedrock-2023-05-31","max_tokens":9}
 * ```
 */
export function putInForm(
  { body, rawHeaders }: { readonly body: Buffer; readonly rawHeaders: RawHeaders },
  form: MessagesForm,
): CrossedRequest | { readonly problem: string } {
  const members = findMembers(body, KEYS);
  if (members === undefined) return { problem: 'its body is no JSON object' };
  const said = new Set(members.map(({ key }) => key));
  if (said.size < members.length) return { problem: 'its body says the same member twice' };
  const betas = form.betasInBody && !said.has(BETA) ? listBetas(rawHeaders) : [];
  const more = { ...(!said.has(VERSION) && { [VERSION]: form.version }), ...(betas.length > 0 && { [BETA]: betas }) };
  const kept = cutMembers(
    body,
    members.filter(({ key }) => (form.inPath as readonly string[]).includes(key)),
  );
  return {
    body: insertMembers(kept, more),
    rawHeaders: dropVersion(rawHeaders),
    changes: [explain(form, Object.keys(more))],
  };
}

function explain({ cloud, inPath }: MessagesForm, inBody: readonly string[]): string {
  const more = inBody.length === 0 ? '' : `, ${inBody.join(' and ')} in the body`;
  return `request: in ${cloud}'s form: ${inPath.join(' and ')} in the path${more}, no anthropic-version header`;
}

/** One after the other, the last first: the comma between two belongs to either. */
function cutMembers(body: Buffer, members: readonly JsonMember[]): Buffer {
  return members.reduceRight((text, { key }) => {
    const member = findMembers(text, [key])?.[0];
    return member === undefined
      ? text
      : spliceBytes(text, [{ start: member.cutStart, end: member.cutEnd, text: Buffer.alloc(0) }]);
  }, body);
}

function insertMembers(body: Buffer, members: Readonly<Record<string, unknown>>): Buffer {
  const text = JSON.stringify(members).slice(1, -1);
  if (text === '') return body;
  const at = skipSpace(body, findTextStart(body)) + 1;
  const isEmpty = body[skipSpace(body, at)] === 0x7d;
  return spliceBytes(body, [{ start: at, end: at, text: Buffer.from(isEmpty ? text : `${text},`) }]);
}

function listBetas(rawHeaders: RawHeaders): string[] {
  return rawHeaders
    .filter((_value, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === 'anthropic-beta')
    .flatMap((value) => value.split(','))
    .map((beta) => beta.trim())
    .filter((beta) => beta !== '');
}

function dropVersion(rawHeaders: RawHeaders): string[] {
  return rawHeaders.filter((_value, i) => (rawHeaders[i - (i % 2)] ?? '').toLowerCase() !== 'anthropic-version');
}
