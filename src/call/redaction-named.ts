import type { DigitFinder } from './redaction-digits.js';
import type { Span } from './redaction-shapes.js';
import { isSecretParameter, readNameStrength } from './secrets-names.js';

/** What a name that gives a secret away contains, in lower case. */
export const nameTriggers: readonly string[] = [
  ...[
    'apikey',
    'api_key',
    'api-key',
    'access_key',
    'accesskey',
    'private_key',
    'privatekey',
    'secret',
    'token',
    'passw',
  ],
  ...[
    'passphrase',
    'pwd',
    'credential',
    'authorization',
    'cookie',
    'signature',
    'key=',
    'sig=',
    'code=',
    'auth=',
    'jwt=',
  ],
  ...['accountkey', 'subscription-key', 'signing', 'encryption', 'master'],
];

/** Names longer than twice this are not read as names. */
const reach = 40;
/** So much of an unquoted value decides whether it is a secret; the cost of a name that is none is bounded by it. */
const judged = 128;

const separator = /\\{0,8}["'`]?\s{0,4}(?::|=>?)\s{0,4}/y;
const openQuote = /(\\{0,8})(["'`])/y;

/**
 * The value of a name that gives a secret away, where a text shows both: `"api_key": "…"` (quoted once or, as JSON in
 * JSON, several times), `?key=…`, `API_KEY=…`, `authorization: …`.
 *
 * @param at where one of `nameTriggers` stands
 */
export function matchNamed(text: string, at: number, digits: DigitFinder): Span | null {
  const nameEnd = findNameEnd(text, at);
  separator.lastIndex = nameEnd;
  if (!separator.test(text)) return null;
  const valueAt = separator.lastIndex;
  const between = text.slice(nameEnd, valueAt);
  const start = findNameStart(text, at);
  const name = text.slice(start, nameEnd);
  if (between === '=' && /^(?:OLD)?PWD$/.test(name) && /^=[/.~]/.test(text.slice(nameEnd, valueAt + 1))) return null;
  if (between === '=' && (start === 0 || isParameterStart(text, start)) && isSecretParameter(name)) {
    const parameter = matchParameter(text, valueAt);
    if (parameter !== null) return parameter;
  }
  const strength = readNameStrength(name);
  if (strength === null) return null;
  openQuote.lastIndex = valueAt;
  const quote = '"\'`\\'.includes(text.charAt(valueAt)) ? openQuote.exec(text) : null;
  if (quote === null) return matchUnquoted({ text, at: valueAt, digits }, name);
  const contentAt = valueAt + quote[0].length;
  const end = findClosingQuote(text, { from: contentAt, quote: quote[2] ?? '"', level: quote[1]?.length ?? 0 });
  return isValueSecret(text.slice(contentAt, Math.min(end, contentAt + judged)), strength)
    ? { start: contentAt, end, kind: readKind(name) }
    : null;
}

/** Whether a string under such a name is to be masked. */
export function isValueSecret(value: string, strength: 'strong' | 'weak'): boolean {
  if (value === '' || value.startsWith('[redacted')) return false;
  return strength === 'strong' || /^[^\s<>{}]{16,}$/.test(value);
}

const kinds = new Map<string, string>();
const maxKinds = 1024;

/** What the mask calls the value of a name. */
export function readKind(name: string): string {
  const before = kinds.get(name);
  if (before !== undefined) return before;
  const kind = readPlainKind(name);
  if (kinds.size >= maxKinds) kinds.clear();
  if (name.length <= 2 * reach) kinds.set(name, kind);
  return kind;
}

function readPlainKind(name: string): string {
  const plain = name.toLowerCase();
  if (/pass(?:w|phrase)|pwd/.test(plain)) return 'password';
  if (plain.includes('cookie')) return 'cookie';
  if (plain.includes('private')) return 'private-key';
  if (plain.includes('authorization')) return 'authorization';
  if (plain.includes('token') || plain.includes('jwt')) return 'token';
  return plain.includes('key') ? 'api-key' : 'secret';
}

/** ASCII letters, digits, `_` and `-`; looked up by character code. */
const isNameCode = new Uint8Array(128);
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-') {
  isNameCode[character.charCodeAt(0)] = 1;
}

function findNameStart(text: string, at: number): number {
  let start = at;
  while (start > 0 && at - start < reach && isNameCode[text.charCodeAt(start - 1)] === 1) start--;
  // In JSON text the letter after a backslash belongs to the escape, not to the name.
  return start > 0 && text[start - 1] === '\\' && /[nrt]/.test(text.charAt(start)) ? start + 1 : start;
}

function findNameEnd(text: string, at: number): number {
  let end = at;
  while (end < text.length && end - at < reach && isNameCode[text.charCodeAt(end)] === 1) end++;
  return end;
}

function isParameterStart(text: string, start: number): boolean {
  return /(?:[?&;]|\\u0026)$/.test(text.slice(Math.max(0, start - 6), start));
}

const parameterValue = /[^&\s"'<>\\#`]+/y;

function matchParameter(text: string, at: number): Span | null {
  parameterValue.lastIndex = at;
  const [value = ''] = parameterValue.exec(text) ?? [];
  // A leading `$` refers to a secret instead of being one.
  if (value === '' || value.startsWith('[redacted') || value.startsWith('$')) return null;
  return { start: at, end: at + value.length, kind: 'parameter' };
}

interface Quoted {
  readonly from: number;
  readonly quote: string;
  /** Backslashes before the opening quote: 0 in JSON, 1 in JSON within a JSON string, 3 within that. */
  readonly level: number;
}

/** Where the string ends; the end of the text when it is cut. */
function findClosingQuote(text: string, { from, quote, level }: Quoted): number {
  for (let at = text.indexOf(quote, from); at >= 0; at = text.indexOf(quote, at + 1)) {
    let slashes = 0;
    while (at - slashes > from && text[at - slashes - 1] === '\\') slashes++;
    if (level === 0 ? slashes % 2 === 0 : slashes <= level) return at - slashes * (level === 0 ? 0 : 1);
  }
  return text.length;
}

const bareStart = new RegExp(`[^\\s"'\`,;&<>(){}[\\]\\\\]{8,${judged}}`, 'y');
const bareRest = /[^\s"'`,;&<>(){}[\]\\]*/y;
const headerLine = /[^\r\n"'\\]{8,256}/y;

interface Place {
  readonly text: string;
  readonly at: number;
  readonly digits: DigitFinder;
}

function matchUnquoted({ text, at, digits }: Place, name: string): Span | null {
  const kind = readKind(name);
  if (kind === 'cookie' || kind === 'authorization') return matchHeaderLine(text, at, kind);
  // Without a digit only what a variable of the environment has is a secret.
  const isVariable = /^[A-Z0-9_]+$/.test(name);
  if (!isVariable && !digits.isNear(at, judged)) return null;
  bareStart.lastIndex = at;
  const [value] = bareStart.exec(text) ?? [];
  if (value === undefined || !looksSecret(value, isVariable)) return null;
  bareRest.lastIndex = at + value.length;
  const [rest = ''] = bareRest.exec(text) ?? [];
  return { start: at, end: at + value.length + rest.length, kind };
}

function matchHeaderLine(text: string, at: number, kind: string): Span | null {
  headerLine.lastIndex = at;
  const [line] = headerLine.exec(text) ?? [];
  if (line === undefined || line.startsWith('[redacted')) return null;
  const isSecret = kind === 'cookie' ? /^[\w.-]+=\S/.test(line) : /^(?:\w+ )?(?=\S*\d)\S{8,}/.test(line);
  return isSecret ? { start: at, end: at + line.length, kind } : null;
}

const reference =
  /^(?:\[redacted|process\.|os\.|env\.|import\.|self\.|this\.|config|settings|getenv|\$|%|\/|\.|~|https?:)/i;

/** Whether an unquoted value is a secret rather than an expression, a number, a path or the next word. */
function looksSecret(value: string, isVariable: boolean): boolean {
  if (reference.test(value) || /^[\d.,:_-]+$/.test(value) || /^(?:true|false|undefined)$/i.test(value)) return false;
  return isVariable || (/\d/.test(value) && /[A-Za-z]/.test(value));
}
