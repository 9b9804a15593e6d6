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
  /(?:^|_)(?:API_?KEY|ACCESS_?KEY|SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|PRIVATE_?KEY|AUTH)(?:_|$)|(?:APIKEY|PASSWORD|TOKEN|SECRET)$|_KEY$/i;
const harmlessVariable = /(?:CONFIG|GRAPH|VARIATION|CACHE|PUBLIC)_KEY$|TOKENIZERS?_|MAX_TOKEN|AUTH_SOCK/i;

/** Whether an environment variable of this name is likely to hold a secret. */
export function isSecretVariable(name: string): boolean {
  return secretVariable.test(name) && !harmlessVariable.test(name);
}
