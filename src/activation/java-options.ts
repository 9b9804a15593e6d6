/** A trust store Java can read. */
export interface JavaTrust {
  /** Absolute. */
  readonly trustStorePath: string;
  readonly trustStorePassword: string;
  readonly trustStoreType: 'PKCS12' | 'JKS';
}

export interface JavaOptionsInput {
  /** `JAVA_TOOL_OPTIONS` as it was. */
  readonly previous: string | undefined;
  readonly proxyUrl: string;
  /** As `NO_PROXY` writes it. */
  readonly noProxy: string;
  readonly trust: JavaTrust;
}

/**
 * `JAVA_TOOL_OPTIONS` with proxy and trust store behind what it held; of two settings of one property the JVM takes the
 * later. Every JVM says so on stderr ("Picked up JAVA_TOOL_OPTIONS"), hence only on request.
 *
 * NOTE: the JVM has no property for proxy credentials; those of the URL are not passed on.
 * Source: https://docs.oracle.com/en/java/javase/17/core/java-networking.html and
 * https://docs.oracle.com/en/java/javase/17/docs/specs/jvmti.html#tooloptions (read 2026-11-21).
 */
export function makeJavaOptions({ previous, proxyUrl, noProxy, trust }: JavaOptionsInput): string {
  const { hostname, port } = new URL(proxyUrl);
  const host = hostname.replace(/^\[|\]$/g, '');
  const properties = {
    'http.proxyHost': host,
    'http.proxyPort': port,
    'https.proxyHost': host,
    'https.proxyPort': port,
    'http.nonProxyHosts': makeNonProxyHosts(noProxy),
    'javax.net.ssl.trustStore': trust.trustStorePath,
    'javax.net.ssl.trustStorePassword': trust.trustStorePassword,
    'javax.net.ssl.trustStoreType': trust.trustStoreType,
  };
  const own = Object.entries(properties).map(([name, value]) => quote(`-D${name}=${value}`));
  return [...(previous === undefined || previous.trim() === '' ? [] : [previous]), ...own].join(' ');
}

/** Finds the last `-DNAME=value` of a `JAVA_TOOL_OPTIONS`, quotes removed. */
export function findJavaProperty(options: string | undefined, name: string): string | undefined {
  const words = options?.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
  const prefix = `-D${name}=`;
  const plain = words.map((word) => word.replace(/"([^"]*)"|'([^']*)'/g, '$1$2'));
  return plain.findLast((word) => word.startsWith(prefix))?.slice(prefix.length);
}

/** Java's list: `|` between names, `*` at one end of a name; a port cannot be said. */
function makeNonProxyHosts(noProxy: string): string {
  const names = noProxy.split(',').filter((entry) => entry !== '');
  const patterns = names.flatMap((entry) => {
    if (entry === '*') return ['*'];
    const name = entry.replace(/^\*?\./, '');
    if (/^\[?[\da-f]*:[\da-f:.]+\]?$/i.test(name)) return [`[${name.replace(/^\[|\]$/g, '')}]`];
    if (/^[\d.]+$/.test(name)) return [name];
    return /[:/]/.test(name) ? [] : [name, `*.${name}`];
  });
  return patterns.join('|');
}

/** The JVM takes quotes of either kind around blanks and knows no escape. */
function quote(word: string): string {
  if (!/[\s'"]/.test(word)) return word;
  return word.includes('"') ? `'${word}'` : `"${word}"`;
}
