/** Which variable a runtime reads its trusted certificates from, by what it calls itself in CONNECT. Tried client by client. */
const variablesByAgent: readonly (readonly [RegExp, string])[] = [
  [/^curl\//i, 'CURL_CA_BUNDLE or SSL_CERT_FILE'],
  [/python-requests|^pip\//i, 'REQUESTS_CA_BUNDLE'],
  [/python|httpx|aiohttp/i, 'SSL_CERT_FILE'],
  [/^go-http-client/i, 'SSL_CERT_FILE'],
  [/^wget\//i, 'WGETRC (a file with ca_certificate=)'],
  [/^git\//i, 'GIT_SSL_CAINFO'],
  [/^java|jdk/i, 'JAVA_TOOL_OPTIONS (llmtap run --with java)'],
  [/libwww-perl|lwp/i, 'PERL_LWP_SSL_CA_FILE'],
  [/^ruby/i, 'SSL_CERT_FILE'],
  [/^php|guzzle/i, 'PHP_INI_SCAN_DIR (an ini with curl.cainfo)'],
  [/deno/i, 'DENO_CERT'],
  [/codex|reqwest|rust/i, 'SSL_CERT_FILE'],
  [/bun|node|undici|axios|claude/i, 'NODE_EXTRA_CA_CERTS'],
];

/** One sentence on what to set so that this client trusts the session's CA. */
export function explainTrust(userAgent: string | null): string {
  const known = userAgent === null ? undefined : variablesByAgent.find(([pattern]) => pattern.test(userAgent));
  if (known !== undefined) {
    return `${quote(userAgent)} reads its certificates from ${known[1]}: check that it reaches the program unchanged ("llmtap env" shows the value).`;
  }
  const who =
    userAgent === null ? 'The client does not say what it is.' : `The client calls itself ${quote(userAgent)}.`;
  return `${who} Node and most agents read NODE_EXTRA_CA_CERTS; OpenSSL, Go, Rust, Ruby and Python SSL_CERT_FILE; Python requests REQUESTS_CA_BUNDLE: check that it reaches the program unchanged ("llmtap env" shows the value), or that the program does not bring a certificate list of its own.`;
}

function quote(text: string | null): string {
  // From the wire, for a terminal: printable ASCII and short.
  return `"${(text ?? '').replace(/[^\x20-\x7e]/g, '?').slice(0, 80)}"`;
}
