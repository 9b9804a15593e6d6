import { DigitFinder } from './redaction-digits.js';
import { matchNamed, nameTriggers } from './redaction-named.js';
import { type LiteralMatch, LiteralMatcher } from './secrets-matcher.js';

/** A part of a text that must not be kept. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly kind: string;
}

/**
 * How a kind of key looks from the place where its trigger stands.
 *
 * Every pattern is sticky and, from where it begins, either succeeds, and what it matched is not looked at again,
 * or fails within a bounded number of characters or at a character that the next trigger cannot be before. So the
 * whole search is linear in the text, whatever the text.
 */
interface Shape {
  /** In lower case. */
  readonly trigger: string;
  readonly kind: string;
  readonly pattern: RegExp;
  /** Only where no letter or digit goes before: `task-…` is no `sk-…`. */
  readonly bounded?: boolean;
  /** Has a digit among its first characters: those without are told apart before the pattern is tried. */
  readonly hasDigit?: boolean;
  /** What must hold of the match besides. */
  readonly check?: (matched: string) => boolean;
}

const apiKey = (trigger: string, pattern: RegExp, bounded = false): Shape => ({
  trigger,
  kind: 'api-key',
  pattern,
  bounded,
});
const token = (trigger: string, pattern: RegExp, bounded = false): Shape => ({
  trigger,
  kind: 'token',
  pattern,
  bounded,
});

/** Forms as their makers document them or as GitHub's secret scanning lists them (read 2026-11-21). */
const shapes: readonly Shape[] = [
  apiKey('sk-', /sk-(?:ant|proj|or|svcacct|admin|lf)-[\w-]{12,}/y),
  { ...apiKey('sk-', /sk-(?=[\w-]{0,64}?\d)[\w-]{16,}/y, true), hasDigit: true },
  apiKey('csk-', /csk-[a-z0-9]{20,}/y, true),
  apiKey('sk_', /sk_(?:live|test)_[A-Za-z0-9]{10,}/y),
  apiKey('rk_', /rk_(?:live|test)_[A-Za-z0-9]{10,}/y),
  apiKey('whsec_', /whsec_[A-Za-z0-9+/=]{16,}/y),
  apiKey('aiza', /AIza[\w-]{35}/y),
  apiKey('aq.', /AQ\.[\w-]{30,}/y, true),
  apiKey('gocspx-', /GOCSPX-[\w-]{16,}/y),
  token('ya29.', /ya29\.[\w.-]{16,}/y),
  token('1//0', /1\/\/0[\w-]{30,}/y, true),
  apiKey('akia', /AKIA[A-Z0-9]{16}(?![A-Z0-9])/y, true),
  apiKey('asia', /ASIA[A-Z0-9]{16}(?![A-Z0-9])/y, true),
  apiKey('absk', /ABSK[A-Za-z0-9+/]{60,}={0,2}/y, true),
  apiKey('bedrock-api-key-', /bedrock-api-key-[A-Za-z0-9+/=_-]{30,}/y),
  ...['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'].map((trigger) => token(trigger, /gh[pousr]_[A-Za-z0-9]{20,}/y)),
  token('github_pat_', /github_pat_\w{20,}/y),
  token('glpat-', /glpat-[\w.-]{16,}/y),
  token('glptt-', /glptt-[\w-]{16,}/y),
  ...['xoxa-', 'xoxb-', 'xoxe-', 'xoxo-', 'xoxp-', 'xoxr-', 'xoxs-'].map((trigger) =>
    token(trigger, /xox[abeoprs]-[\w-]{10,}/y),
  ),
  token('xapp-', /xapp-[\w-]{10,}/y),
  token('hooks.slack.com/', /hooks\.slack\.com\/(?:services|workflows)\/[\w/-]{16,}/y),
  token('hf_', /hf_[A-Za-z0-9]{20,}/y, true),
  apiKey('gsk_', /gsk_[A-Za-z0-9]{20,}/y),
  apiKey('r8_', /r8_[A-Za-z0-9]{20,}/y, true),
  apiKey('pplx-', /pplx-[A-Za-z0-9]{20,}/y),
  { ...apiKey('xai-', /xai-(?=[\w-]{0,64}?\d)[\w-]{20,}/y, true), hasDigit: true },
  apiKey('fw_', /fw_[A-Za-z0-9]{16,}/y, true),
  apiKey('tgp_v1_', /tgp_v1_[\w-]{20,}/y),
  apiKey('nvapi-', /nvapi-[\w-]{20,}/y),
  apiKey('tvly-', /tvly-[\w-]{16,}/y),
  apiKey('lsv2_', /lsv2_[a-z]{2}_\w{20,}/y),
  apiKey('pcsk_', /pcsk_\w{20,}/y),
  apiKey('jina_', /jina_\w{20,}/y),
  apiKey('sg.', /SG\.[\w-]{16,}\.[\w-]{16,}/y, true),
  token('npm_', /npm_[A-Za-z0-9]{30,}/y),
  token('pypi-', /pypi-[\w-]{40,}/y),
  token('dop_v1_', /dop_v1_[a-f0-9]{32,}/y),
  token('shpat_', /shpat_[a-f0-9]{32,}/y),
  token('dapi', /dapi[a-f0-9]{32}/y, true),
  { trigger: 'bearer', kind: 'token', pattern: /bearer(?:\s|%20|\+){1,4}[\w.~+/=-]{8,}/iy, check: isNoWord },
  {
    trigger: 'basic',
    kind: 'authorization',
    pattern: /basic(?:\s|%20){1,2}[A-Za-z0-9+/]{8,4096}={0,2}/iy,
    check: isPair,
  },
];

type Match = (text: string, at: number, digits: DigitFinder) => Span | null;

const special: Readonly<Record<string, Match>> = {
  eyj: matchJwt,
  '-----begin': matchPrivateKey,
  '://': matchUserInfo,
};

const shapeTriggers = new Map<string, Shape[]>();
for (const shape of shapes) shapeTriggers.set(shape.trigger, [...(shapeTriggers.get(shape.trigger) ?? []), shape]);

const triggers = [...new Set([...shapeTriggers.keys(), ...Object.keys(special), ...nameTriggers])];
const triggerMatcher = new LiteralMatcher(triggers, { ignoreCase: true });

/** What may be at each trigger, by the trigger's number. */
const candidates = triggers.map((trigger) => ({
  shapes: shapeTriggers.get(trigger) ?? [],
  match: special[trigger] ?? (nameTriggers.includes(trigger) ? matchNamed : null),
}));

/** Everything in the text that has the form of a credential, from left to right, without overlaps. */
export function findShapes(text: string): Span[] {
  const spans: Span[] = [];
  const digits = new DigitFinder(text);
  for (let from = 0; ; ) {
    const hit = triggerMatcher.find(text, from);
    if (hit === null) return spans;
    const span = matchAt(text, hit, digits);
    if (span !== null) spans.push(span);
    from = Math.max(hit.start + 1, span?.end ?? 0);
  }
}

/** Length of the longest trigger of those shapes. */
const maxPrefix = 4;

function matchAt(text: string, { start: at, index }: LiteralMatch, digits: DigitFinder): Span | null {
  const candidate = candidates[index];
  if (candidate === undefined) return null;
  for (const { pattern, bounded, hasDigit, check, kind } of candidate.shapes) {
    if (hasDigit === true && !digits.isNear(at, maxPrefix + 65)) continue;
    if (bounded === true && !isBoundary(text, at)) continue;
    pattern.lastIndex = at;
    if (!pattern.test(text)) continue;
    const end = pattern.lastIndex;
    if (check === undefined || check(text.slice(at, end))) return { start: at, end, kind };
  }
  return candidate.match?.(text, at, digits) ?? null;
}

/** Whether a word can begin here; what an escape of JSON or of a URL ends in is no part of the word. */
function isBoundary(text: string, at: number): boolean {
  if (at === 0 || !/[A-Za-z0-9]/.test(text.charAt(at - 1))) return true;
  return /(?:\\[nrtbf]|%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4})$/.test(text.slice(Math.max(0, at - 6), at));
}

/** "Bearer certificates" is prose. */
function isNoWord(matched: string): boolean {
  const value = matched.slice(6).replace(/^(?:\s|%20|\+)+/, '');
  return value.length >= 24 || !/^[A-Za-z]+[.=/]*$/.test(value);
}

function isPair(matched: string): boolean {
  const decoded = Buffer.from(matched.slice(5).replace(/^(?:\s|%20)+/, ''), 'base64').toString('latin1');
  return /^[\x20-\x7e]*:[\x20-\x7e]*$/.test(decoded);
}

const jwt = /eyJ[\w-]{8,}(?:\.[\w-]*){2,4}/y;

/** RFC 7515, 7.1. A run of its characters is entered at its beginning only, so that it is read once. */
function matchJwt(text: string, at: number): Span | null {
  if (/[\w-]/.test(text.charAt(at - 1)) && !isBoundary(text, at)) return null;
  if (/[_-]/.test(text.charAt(at - 1))) return null;
  jwt.lastIndex = at;
  const [matched] = jwt.exec(text) ?? [];
  return matched !== undefined && matched.length > 32 ? { start: at, end: at + matched.length, kind: 'jwt' } : null;
}

const pemBegin = /-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----/y;
const pemBody = /[A-Za-z0-9+/=\s\\:,.-]*/y;
const pemEnd = /-----END [A-Z0-9 ]{0,40}-----/;

/** RFC 7468. One that is cut off goes on as far as its characters do. */
function matchPrivateKey(text: string, at: number): Span | null {
  pemBegin.lastIndex = at;
  const [begin] = pemBegin.exec(text) ?? [];
  if (begin === undefined) return null;
  pemBody.lastIndex = at + begin.length;
  const [body = ''] = pemBody.exec(text) ?? [];
  const end = pemEnd.exec(body);
  const length = begin.length + (end === null ? body.length : end.index + end[0].length);
  return { start: at, end: at + length, kind: 'private-key' };
}

const userInfo = /:\/\/(?:[^\s/?#@"'<>\\:]{0,128}:[^\s/?#@"'<>\\]{1,256}|[^\s/?#@"'<>\\:]{16,256})@/y;

/** RFC 3986, 3.2.1: what stands between `://` and `@`. */
function matchUserInfo(text: string, at: number): Span | null {
  userInfo.lastIndex = at;
  return userInfo.test(text) ? { start: at + 3, end: userInfo.lastIndex - 1, kind: 'credential' } : null;
}
