import type { CrossedRequest } from '../core/crossing.js';
import type { RawHeaders } from '../core/wire.js';
import { findMembers, findTextStart, type JsonMember, skipSpace, spliceBytes } from './wire/json-members.js';

/** How a cloud wants a request of Anthropic's messages. */
export interface MessagesForm {
  /** For messages: `Amazon Bedrock`. */
  readonly cloud: string;
  /** What its path says, so that the body does not. */
  readonly inPath: readonly ('model' | 'stream')[];
  /** What it calls the first version of the API, in the member that takes the place of the header. */
  readonly firstVersion: string;
  /** Whether betas and the user's profile are read in the body, and not in their headers. */
  readonly readsBody: boolean;
}

const VERSION = 'anthropic_version';
const BETA = 'anthropic_beta';
const PROFILE = 'user_profile_id';
const PROFILE_HEADER = 'anthropic-user-profile-id';
const KEYS = ['model', 'stream', VERSION, BETA, PROFILE] as const;
/** The version of Anthropic's API for which the clouds have names of their own. */
const FIRST_VERSION = '2023-06-01';

/**
 * Puts a request of Anthropic's messages in a cloud's form: some members out, some in, every other byte kept. A body that
 * says a member twice is not changed, for parsers differ in which they take; nor is one that is no JSON object.
 *
 * ```ts
 * const form = { cloud: 'Bedrock', inPath: ['model', 'stream'], firstVersion: 'bedrock-2023-05-31', readsBody: true } as const;
 * const request = { body: Buffer.from('{"model":"claude-opus-4-5","max_tokens":9}'), rawHeaders: [] };
 * putInForm(request, form);   // body: {"anthropic_version":"bedrock-2023-05-31","max_tokens":9}
 * ```
 */
export function putInForm(
  { body, rawHeaders }: { readonly body: Buffer; readonly rawHeaders: RawHeaders },
  form: MessagesForm,
): CrossedRequest | { readonly problem: string } {
  const found = findMembers(body, KEYS);
  if (found === undefined) return { problem: 'its body is no JSON object' };
  const said = new Set(found.map(({ key }) => key));
  if (said.size < found.length) return { problem: 'its body says the same member twice' };
  const ofHeaders = Object.entries(listMembers(rawHeaders, form));
  const members = Object.fromEntries(ofHeaders.filter(([name]) => !said.has(name)));
  const inPath: readonly string[] = form.inPath;
  const moved = found.filter(({ key }) => inPath.includes(key));
  return {
    body: insertMembers(cutMembers(body, moved), members),
    rawHeaders: dropHeaders(rawHeaders, form.readsBody ? ['anthropic-version', PROFILE_HEADER] : ['anthropic-version']),
    changes: [explain(form, Object.keys(members))],
  };
}

/** What its headers say, as its body is to. */
function listMembers(rawHeaders: RawHeaders, form: MessagesForm): Readonly<Record<string, unknown>> {
  const betas = listValues(rawHeaders, 'anthropic-beta').filter((beta) => beta !== '');
  const profile = listValues(rawHeaders, PROFILE_HEADER).at(-1);
  return {
    [VERSION]: nameVersion(listValues(rawHeaders, 'anthropic-version').at(-1), form),
    ...(form.readsBody && betas.length > 0 && { [BETA]: betas }),
    ...(form.readsBody && profile !== undefined && { [PROFILE]: profile }),
  };
}

/** Later versions have the same name everywhere: Anthropic's packages for the clouds put the header's in the body. */
function nameVersion(version: string | undefined, { firstVersion }: MessagesForm): string {
  const isLater = version !== undefined && /^\d{4}-\d\d-\d\d$/.test(version) && version > FIRST_VERSION;
  return isLater ? version : firstVersion;
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

function listValues(rawHeaders: RawHeaders, name: string): string[] {
  return rawHeaders
    .filter((_value, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === name)
    .flatMap((value) => value.split(','))
    .map((value) => value.trim());
}

function dropHeaders(rawHeaders: RawHeaders, names: readonly string[]): string[] {
  return rawHeaders.filter((_value, i) => !names.includes((rawHeaders[i - (i % 2)] ?? '').toLowerCase()));
}
