/**
 * Variables by which programs are told a file of certificates, of all runtimes a session's child may have. Those that
 * replace a program's roots and those that add to them. What the user's own name goes into the merged bundle, and a
 * child gets each of them pointed at a file that has our root as well.
 */
export const caFileVariables: readonly string[] = Object.freeze([
  'SSL_CERT_FILE',
  'NODE_EXTRA_CA_CERTS',
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
  'GIT_SSL_CAINFO',
  'PIP_CERT',
  'npm_config_cafile',
  'NPM_CONFIG_CAFILE',
  'CARGO_HTTP_CAINFO',
  'AWS_CA_BUNDLE',
  'PERL_LWP_SSL_CA_FILE',
  'HTTPS_CA_FILE',
  'DENO_CERT',
  'CODEX_CA_CERTIFICATE',
  'HTTPLIB2_CA_CERTS',
  'NIX_SSL_CERT_FILE',
  'CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE',
  'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH',
]);
