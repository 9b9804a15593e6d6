import {
  aiohttpScript,
  fetchScript,
  goSource,
  httpsScript,
  httpxScript,
  javaSource,
  perlScript,
  phpCurlScript,
  phpStreamsScript,
  requestsScript,
  rubyScript,
  urllibScript,
} from './canary-scripts.js';

/** What a canary is told. */
export interface CanaryCall {
  readonly url: string;
  /** A chat completion's request, with the nonce in it. */
  readonly body: string;
  readonly nonce: string;
}

export interface CanaryCommand {
  readonly args: readonly string[];
  readonly input?: string;
  /** Written to its working folder before it starts. */
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** One way of one program to make a call. */
export interface Canary {
  /** What `--only` takes; the part before `-` stands for all that begin with it. */
  readonly name: string;
  /** Looked for in this order. */
  readonly commands: readonly string[];
  readonly client: string | null;
  readonly makeCommand: (call: CanaryCall) => CanaryCommand;
  /** Asked in a run of its own, where the canary cannot say its version. */
  readonly versionArgs?: readonly string[];
  /** 15 s when absent. */
  readonly deadlineMs?: number;
  /** Set up as `llmtap run --with java` does. */
  readonly withJava?: true;
  /** It makes requests, not model calls. */
  readonly relayedOnly?: true;
  /** The fix when it goes direct, where more is known than that HTTPS_PROXY did not count. */
  readonly directFix?: string;
  /** To be known also when it is seen. */
  readonly seenNote?: string;
}

const json = 'content-type: application/json';
const curlLimit = ['--max-time', '60'];
const nodeFix = 'Let NODE_OPTIONS reach Node unchanged: look for a wrapper called node on the PATH that clears it.';
const python = ['python3', 'python'];
const makePython = (name: string, script: string) => ({
  name: `python-${name}`,
  commands: python,
  client: name,
  makeCommand: () => ({ args: ['-c', script] }),
});

/** Everything tried, in the order of the table. The forms of the calls are those of `README.md`, "What it sees". */
export const canaries: readonly Canary[] = [
  {
    name: 'node',
    commands: ['node'],
    client: 'fetch',
    directFix: nodeFix,
    makeCommand: () => ({ args: ['-e', fetchScript] }),
  },
  {
    name: 'node-https',
    commands: ['node'],
    client: 'https',
    directFix: nodeFix,
    makeCommand: () => ({ args: ['-e', httpsScript] }),
  },
  { name: 'bun', commands: ['bun'], client: 'fetch', makeCommand: () => ({ args: ['-e', fetchScript] }) },
  {
    name: 'deno',
    commands: ['deno'],
    client: 'fetch',
    makeCommand: () => ({ args: ['eval', fetchScript], env: { DENO_NO_UPDATE_CHECK: '1', DENO_DIR: 'cache' } }),
  },
  makePython('urllib', urllibScript),
  makePython('requests', requestsScript),
  makePython('httpx', httpxScript),
  {
    ...makePython('aiohttp', aiohttpScript),
    directFix: 'aiohttp asks no proxy by itself: open its sessions as aiohttp.ClientSession(trust_env=True).',
  },
  {
    name: 'curl',
    commands: ['curl'],
    client: null,
    versionArgs: ['--version'],
    directFix:
      'Look in ~/.curlrc for proxy or noproxy, which outrank HTTPS_PROXY, and for a wrapper called curl on the PATH.',
    makeCommand: ({ url, body }) => ({
      args: ['-sS', ...curlLimit, '-H', json, '--data-binary', '@-', '-o', '-', url],
      input: body,
    }),
  },
  {
    name: 'wget',
    commands: ['wget'],
    client: null,
    versionArgs: ['--version'],
    directFix: 'Look in ~/.wgetrc for no_proxy, which keeps hosts direct, and for a wrapper called wget on the PATH.',
    makeCommand: ({ url, body }) => ({
      args: ['-nv', '-O', '-', '--tries=1', '--timeout=60', `--header=${json}`, `--post-data=${body}`, url],
    }),
  },
  {
    name: 'git',
    commands: ['git'],
    client: null,
    versionArgs: ['--version'],
    relayedOnly: true,
    directFix: 'Look for a proxy that outranks HTTPS_PROXY: git config --show-origin --get-regexp proxy',
    makeCommand: ({ url, nonce }) => ({
      args: ['ls-remote', new URL(`/${nonce}.git`, url).href],
      env: { GIT_TERMINAL_PROMPT: '0' },
    }),
  },
  {
    name: 'go',
    commands: ['go'],
    client: 'net/http',
    // It is compiled first, the standard library with it where nothing was before.
    deadlineMs: 60_000,
    makeCommand: () => ({
      args: ['run', 'canary.go'],
      files: { 'canary.go': goSource },
      env: { GO111MODULE: 'off', GOTOOLCHAIN: 'local', GOPROXY: 'off', GOFLAGS: '' },
    }),
  },
  {
    name: 'java',
    commands: ['java'],
    client: 'HttpClient',
    withJava: true,
    deadlineMs: 30_000,
    seenNote: 'Give --with java to llmtap run: without it the calls of Java programs go direct.',
    makeCommand: () => ({ args: ['Canary.java'], files: { 'Canary.java': javaSource } }),
  },
  { name: 'ruby', commands: ['ruby'], client: 'net/http', makeCommand: () => ({ args: ['-e', rubyScript] }) },
  { name: 'php-curl', commands: ['php'], client: 'curl', makeCommand: () => ({ args: ['-r', phpCurlScript] }) },
  {
    name: 'php-streams',
    commands: ['php'],
    client: 'streams',
    directFix:
      'PHP streams (file_get_contents) read no proxy variable: call through the curl extension, as Guzzle does.',
    makeCommand: () => ({ args: ['-r', phpStreamsScript] }),
  },
  {
    name: 'perl-lwp',
    commands: ['perl'],
    client: 'LWP',
    directFix:
      'LWP asks no proxy by itself: set PERL_LWP_ENV_PROXY=1, or make it with LWP::UserAgent->new(env_proxy => 1).',
    makeCommand: () => ({ args: ['-e', perlScript] }),
  },
];
