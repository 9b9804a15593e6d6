/**
 * How sure a name is to name a secret: `strong` masks whatever it holds, `weak` (`token`, which is also a piece of
 * model output) only what looks like one.
 */
export type NameStrength = 'strong' | 'weak' | null;

const strongNames = new Set([
  ...[
    'authorization',
    'proxyauthorization',
    'cookie',
    'setcookie',
    'password',
    'passwd',
    'pwd',
    'passphrase',
    'secret',
  ],
  ...['accesskeyid', 'awsaccesskeyid', 'jwt', 'subscriptionkey', 'signingkey', 'encryptionkey', 'masterkey', 'authkey'],
  ...['accountkey', 'sharedaccesskey'],
]);
const strongEnds = [
  ...['apikey', 'password', 'passphrase', 'secret', 'secretkey', 'accesskey', 'privatekey', 'accesstoken', 'idtoken'],
  ...['refreshtoken', 'authtoken', 'sessiontoken', 'apitoken', 'bearertoken', 'securitytoken', 'authorization'],
];
const weakEnds = ['token', 'credential', 'credentials'];

/** Only in the query of a URL, or in a form, do these short names say enough. */
const queryNames = new Set([
  'key',
  'sig',
  'signature',
  'code',
  'auth',
  'xamzsignature',
  'xamzcredential',
  'credential',
]);

const known = new Map<string, NameStrength>();
const maxKnown = 4096;

/** Reads a member, variable, flag or field name in any spelling: `api_key`, `apiKey`, `X-Api-Key`, `OPENAI_API_KEY`. */
export function readNameStrength(name: string): NameStrength {
  const before = known.get(name);
  if (before !== undefined) return before;
  const strength = name.length > 80 ? null : readPlainStrength(normalise(name));
  if (known.size >= maxKnown) known.clear();
  known.set(name, strength);
  return strength;
}

function readPlainStrength(plain: string): NameStrength {
  if (strongNames.has(plain) || strongEnds.some((end) => plain.endsWith(end))) return 'strong';
  return weakEnds.some((end) => plain.endsWith(end)) ? 'weak' : null;
}

/** Whether a parameter of a URL or form holds a secret. */
export function isSecretParameter(name: string): boolean {
  return queryNames.has(normalise(name)) || readNameStrength(name) !== null;
}

function normalise(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

const secretHeader = /key|token|secret|auth|credential|signature|password|cookie/;
/**
 * Names that match the pattern above and hold nothing secret: rate limits and session ids, which the record keeps;
 * the HTTP/2 pseudo header; challenges; cache tags; retry keys of SDKs.
 */
const harmlessHeader =
  /rate-?limit|session-id$|^:?authority$|author(?!iz)|authenticate$|(?:cache|surrogate|public|idempotency|websocket)-key|^signature-input$|tokens(?:-|$)|allow-|expose-/;

/** Whether the value of a header of this name is a secret. */
export function isSecretHeader(name: string): boolean {
  const plain = name.toLowerCase();
  return secretHeader.test(plain) && !harmlessHeader.test(plain);
}

const secretVariable =
  /(?:^|_)(?:API_?KEY|ACCESS_?KEY|SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|PRIVATE_?KEY|AUTH|PWD|PASS|PW|PAT|DSN|WEBHOOK)(?:_|$)|(?:APIKEY|PASSWORD|PASSWD|TOKEN|SECRET|(?<!BY|COM|TRES)PASS|PWD)$|_KEY$/i;
const harmlessVariable =
  /^(?:OLD)?PWD$|(?:CONFIG|GRAPH|VARIATION|CACHE|PUBLIC)_KEY$|TOKENIZERS?_|MAX_TOKEN|AUTH_SOCK|PASS_?(?:THROUGH|THRU)/i;

/** Whether an environment variable of this name is likely to hold a secret. */
export function isSecretVariable(name: string): boolean {
  return secretVariable.test(name) && !harmlessVariable.test(name);
}

const ownKey = /(?:API|ACCESS|SECRET|PRIVATE)_?KEY$/i;
/** Whom a key may be for: model providers, the services around them, or "an API". */
const doorKey = new RegExp(
  `(?:^|_)(?:${[
    ...['API', 'AI', 'LLM', 'OPENAI', 'ANTHROPIC', 'CLAUDE', 'GEMINI', 'GOOGLE', 'AZURE', 'AWS', 'BEDROCK', 'MISTRAL'],
    ...['GROQ', 'COHERE', 'TOGETHER', 'FIREWORKS', 'DEEPSEEK', 'XAI', 'GROK', 'OPENROUTER', 'PERPLEXITY', 'MOONSHOT'],
    ...['DASHSCOPE', 'QWEN', 'CEREBRAS', 'HF', 'HUGGINGFACE', 'REPLICATE', 'VOYAGE', 'JINA', 'TAVILY', 'SERPER', 'EXA'],
    ...[
      'SERPAPI',
      'BRAVE',
      'FIRECRAWL',
      'PINECONE',
      'QDRANT',
      'WEAVIATE',
      'LANGSMITH',
      'LANGFUSE',
      'LANGCHAIN',
      'NVIDIA',
    ],
    ...['STRIPE', 'TWILIO', 'SENDGRID', 'DATADOG', 'DD', 'SENTRY', 'GITHUB', 'GITLAB', 'SLACK', 'LAUNCHDARKLY', 'ZAI'],
    ...[
      'SUPABASE',
      'ELEVENLABS',
      'DEEPGRAM',
      'ASSEMBLYAI',
      'SDK',
      'POSTHOG',
      'CLOUDFLARE',
      'OLLAMA',
      'LITELLM',
      'PORTKEY',
    ],
  ].join('|')})_(?:\\w+_)?KEY$`,
  'i',
);

/**
 * Whether a variable of this name with this value holds a secret. `SOMETHING_KEY` may be the key of a map as well as
 * of a door: unless the name says whose door, its value must look like a key.
 */
export function isSecretAssignment(name: string, value: string): boolean {
  if (!isSecretVariable(name)) return false;
  if (!/_KEY$/i.test(name) || ownKey.test(name)) return true;
  if (doorKey.test(name)) return value.length >= 8;
  return /(?=.*\d)(?=.*[a-z]).{16,}/i.test(value.slice(0, 512));
}
