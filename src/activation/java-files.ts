import { execFile } from 'node:child_process';
import { chmod, copyFile, open, realpath, rm, stat } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { readErrorMessage, TrackerError } from '../core/errors.js';
import { findJavaProperty, type JavaTrust } from './java-options.js';
import { makeSessionPaths } from './session-paths.js';

export interface JavaTrustOptions {
  readonly parentEnv: Readonly<Record<string, string | undefined>>;
  /** The session's own, absolute; the trust store is made there and goes with it. */
  readonly sessionFolder: string;
  /** PEM file of our root alone. */
  readonly caPath: string;
}

/** The password of the JDK's own `cacerts`; it keeps nobody out and hides no key. */
const usualPassword = 'changeit';
/** One `keytool` run takes about a second (measured, Java 17). */
const keytoolDeadlineMs = 30_000;

/**
 * Makes a trust store for Java: a copy of the one the user's `JAVA_TOOL_OPTIONS` name, or of the JDK's, and our root,
 * added by the JDK's own `keytool`. Throws `OPTION_INVALID` when there is no `keytool` or it fails.
 */
export async function openJavaTrust(options: JavaTrustOptions): Promise<JavaTrust> {
  const { parentEnv, sessionFolder, caPath } = options;
  const keytool = await requireKeytool(parentEnv);
  const toolOptions = parentEnv.JAVA_TOOL_OPTIONS;
  const preset = findJavaProperty(toolOptions, 'javax.net.ssl.trustStore');
  const source = preset ?? (await requireCacerts(keytool));
  const trustStorePath = makeSessionPaths(sessionFolder).javaTrustStore;
  const trustStorePassword = findJavaProperty(toolOptions, 'javax.net.ssl.trustStorePassword') ?? usualPassword;
  try {
    if (!(await stat(source)).isFile()) throw new Error('it is no regular file');
    await rm(trustStorePath, { force: true });
    await copyFile(source, trustStorePath);
    await chmod(trustStorePath, 0o600);
    const store = ['-keystore', trustStorePath, '-storepass', trustStorePassword];
    await promisify(execFile)(keytool, ['-importcert', '-noprompt', '-alias', 'llmtap', '-file', caPath, ...store], {
      env: { ...parentEnv, JAVA_TOOL_OPTIONS: undefined },
      timeout: keytoolDeadlineMs,
    });
    return { trustStorePath, trustStorePassword, trustStoreType: await readStoreType(trustStorePath) };
  } catch (error) {
    throw new TrackerError(
      'OPTION_INVALID',
      `Could not make a Java trust store from ${source} with ${keytool}: ${readErrorMessage(error)}`,
      { cause: error, hint: 'Check that the JDK is whole and the trust store readable, or leave out --with java.' },
    );
  }
}

/** The JDK in `JAVA_HOME` first, as Java's own launchers do, then the PATH. */
async function requireKeytool(env: JavaTrustOptions['parentEnv']): Promise<string> {
  const name = process.platform === 'win32' ? 'keytool.exe' : 'keytool';
  const home = env.JAVA_HOME ? [join(env.JAVA_HOME, 'bin')] : [];
  const folders = [...home, ...(env.PATH ?? env.Path ?? '').split(delimiter).filter((folder) => folder !== '')];
  for (const folder of folders) {
    const real = await realpath(join(folder, name)).catch(() => undefined);
    if (real !== undefined) return real;
  }
  throw new TrackerError('OPTION_INVALID', 'Could not prepare Java for --with java: no keytool in JAVA_HOME or PATH.', {
    hint: 'Install a JDK, or set JAVA_HOME to the one the program runs on, or leave out --with java.',
  });
}

/** `lib/security` since Java 9, `jre/lib/security` in a JDK before. */
async function requireCacerts(keytool: string): Promise<string> {
  const home = dirname(dirname(keytool));
  const places = [join(home, 'lib'), join(home, 'jre', 'lib')].map((lib) => join(lib, 'security', 'cacerts'));
  for (const place of places) {
    const real = await realpath(place).catch(() => undefined);
    if (real !== undefined) return real;
  }
  throw new TrackerError('OPTION_INVALID', `Could not find Java's own trust store: no ${places.join(' and no ')}.`, {
    hint: 'Set JAVA_HOME to a whole JDK, or leave out --with java.',
  });
}

/** A JKS file begins FE ED FE ED; anything else Java 17 writes as PKCS12. Source: measured, Java 17. */
async function readStoreType(path: string): Promise<JavaTrust['trustStoreType']> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.readUInt32BE(0) === 0xfeedfeed ? 'JKS' : 'PKCS12';
  } finally {
    await file.close();
  }
}
