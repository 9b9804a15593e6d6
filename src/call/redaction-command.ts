import { isSecretAssignment, readNameStrength } from './secrets-names.js';

/** Replaces what must not be kept in one word of a command line; `null` where the word may stay. */
type MaskWord = (word: string) => string | null;

const mask = '[redacted:argument]';

/** Options whose value is `user:password` (curl and those that copy it). */
const userOptions = new Set(['-u', '--user', '--proxy-user', '-U']);
const attachedUser = /^-[uU](?=[^:/=\s]{1,128}:(?!\/\/)\S)/;

/** Programs whose short option takes a password (their manuals, read 2026-11-21); case matters. */
const shortOptions: readonly (readonly [RegExp, string])[] = [
  [/^(?:mysql\w*|mariadb[\w-]*|mycli|psql|pgcli|cqlsh|rabbitmqadmin|sshpass|mongo\w*|7z[az]?|az|cf)$/, '-p'],
  [/^(?:docker|podman|nerdctl|buildah|skopeo|oras|helm)$/, '-p'],
  [/^(?:redis-cli|valkey-cli)$/, '-a'],
  [/^ldap[a-z]+$/, '-w'],
  [/^(?:sqlcmd|bcp|osql|mosquitto_(?:pub|sub|rr)|zip|unzip|snmp\w+)$/, '-P'],
];

/** Ports, port mappings, versions and paths follow the same letters in other uses of these programs. */
const plainValue = /^(?:[\d.:,/-]+(?:\/(?:tcp|udp))?|[./~].*|[A-Za-z]:\\.*|\$.*)$/;

const shortNames = /(?:^|[-_])(?:pass|pw|pat|dsn|webhook(?:[-_]url)?)$/i;

type OptionStrength = 'strong' | 'weak' | null;

function readOption(text: string): OptionStrength {
  if (!/^--?[A-Za-z][\w-]{1,79}$/.test(text)) return null;
  return shortNames.test(text.replace(/^--?/, '')) ? 'strong' : readNameStrength(text);
}

/** Reads the words of a command line from left to right and masks what options, variables and programs give away. */
class CommandReader {
  #previous = '';
  /** Password options of the programs named so far. */
  readonly #short = new Set<string>();

  /** The word, masked where it must be; `null` when nothing was found in it. */
  readonly read: MaskWord = (word) => {
    const bare = unquote(word);
    const masked = this.#mask(bare);
    this.#previous = bare;
    this.#learn(bare);
    return masked;
  };

  #learn(word: string): void {
    const program = (/[^/\\]*$/.exec(word)?.[0] ?? '').replace(/\.exe$/i, '');
    for (const [pattern, option] of shortOptions) if (pattern.test(program)) this.#short.add(option);
  }

  #mask(word: string): string | null {
    const option = this.#previous;
    const strength = readOption(option);
    if (strength !== null && isValue(word, strength)) return mask;
    if (userOptions.has(option) && word.includes(':')) return mask;
    if (this.#short.has(option) && word !== '' && !word.startsWith('-') && !plainValue.test(word)) return mask;
    return this.#maskAttached(word);
  }

  #maskAttached(word: string): string | null {
    const equals = word.indexOf('=');
    const name = equals > 0 ? word.slice(0, equals) : '';
    if (name !== '' && isSecretName(name, word.slice(equals + 1))) return `${name}=${mask}`;
    if (attachedUser.test(word)) return word.slice(0, 2) + mask;
    const short = word.slice(0, 2);
    if (this.#short.has(short) && word.length > 2 && !plainValue.test(word.slice(2))) return short + mask;
    return null;
  }
}

/** After an option that surely names a secret, what begins with a dash is its value unless it is an option itself. */
function isValue(word: string, strength: 'strong' | 'weak'): boolean {
  if (word === '') return false;
  if (!word.startsWith('-')) return true;
  return strength === 'strong' && !/^--[a-z][a-z-]*(?:=|$)/.test(word);
}

function isSecretName(name: string, value: string): boolean {
  if (value === '') return false;
  if (readOption(name) !== null) return true;
  if (!/^[A-Za-z_]\w{0,79}$/.test(name) || /^["']?(?:\$|\.{0,2}\/|~\/|(?:true|false)["']?$)/i.test(value)) return false;
  return isSecretAssignment(name, value);
}

function unquote(word: string): string {
  return /^(["']).*\1$/s.test(word) && word.length > 1 ? word.slice(1, -1) : word;
}

/** Words as a shell divides them; a quote that is never closed stands alone. */
const shellWord = /(?:[^\s"'\\;&|()<>`]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+|["'\\]/gs;
const maxDepth = 3;
/** Longer arguments are prompts rather than scripts; `redactText` searches them all the same. */
const maxScriptLength = 128 * 1024;

/**
 * Masks values that the words before them give away: of options (`--api-key X`, `--pass=X`), of `-u user:password`,
 * of the password options of common programs (`mysql -pX`), of variables (`DB_PASS=X`); also in the words of an
 * argument that is itself a command line (`bash -c "…"`). Other words stay as they are.
 */
export function maskCommand(argv: readonly string[]): string[] {
  const reader = new CommandReader();
  return argv.map((argument, i) => {
    const isScript = /\s/.test(argument) && argument.length <= maxScriptLength;
    // What a shell is told to run may begin with a variable of its own.
    if (isScript && /^-[a-z]*c$/.test(argv[i - 1] ?? '')) return maskScript(argument, 1);
    const masked = reader.read(argument);
    if (masked !== null) return masked;
    return isScript ? maskScript(argument, 1) : argument;
  });
}

function maskScript(script: string, depth: number): string {
  const reader = new CommandReader();
  return script.replaceAll(shellWord, (word) => {
    const masked = reader.read(word);
    if (masked !== null) return masked;
    const bare = unquote(word);
    if (bare === word || depth >= maxDepth || !/\s/.test(bare)) return word;
    const quote = word.charAt(0);
    return quote + maskScript(bare, depth + 1) + quote;
  });
}
