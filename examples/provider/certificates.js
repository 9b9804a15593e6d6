/**
 * Certificates for the example provider, under a root of its own that lives as long as the process: the root's key
 * stays in memory and is thrown away, only its certificate is written. It has nothing to do with the root in
 * LLMTAP_HOME, and its name says so.
 */
import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeCertificate, makeName, makeRootExtensions, makeSerial } from '../../dist/ca/certificate.js';
import { makeIssuer, makeLeaf } from '../../dist/ca/leaf.js';

/** The names the provider answers to unless told others. */
export const exampleHosts = Object.freeze([
  '127.0.0.1',
  'localhost',
  '::1',
  'api.openai.com',
  'api.anthropic.com',
  'generativelanguage.googleapis.com',
  'bedrock-runtime.us-east-1.amazonaws.com',
  'us-central1-aiplatform.googleapis.com',
  'aiplatform.googleapis.com',
]);

const dayMs = 86_400_000;

/**
 * Makes a throw-away root and a server certificate for each host, and writes the root to `example-provider-ca.pem` in
 * a folder. Clients trust it by `NODE_EXTRA_CA_CERTS`, `llmtap run --upstream-ca` and the like.
 *
 * @param {string} folder an existing one; a temporary one is best
 * @param {readonly string[]} [hosts] names and addresses; the first is for clients that name none
 * @returns {Promise<import('./certificates.js').ExampleCertificates>}
 */
export async function makeExampleCertificates(folder, hosts = exampleHosts) {
  const root = makeRoot();
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = makeIssuer(root);
  const makeHostCert = (host) =>
    makeLeaf({ issuer, host, leafPublicKey: publicKey, nowMs: Date.now(), serial: makeSerial() }).certPem;
  const certs = Object.fromEntries(hosts.map((host) => [host, makeHostCert(host)]));
  const caPath = join(folder, 'example-provider-ca.pem');
  await writeFile(caPath, root.certPem);
  return { caPath, caPem: root.certPem, key: toPem(privateKey), certs };
}

/** A root for seven days. */
function makeRoot() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const serial = makeSerial();
  const own = Buffer.from(serial).toString('hex').slice(0, 8);
  const subject = makeName({ organization: 'llmtap example provider', commonName: `Throw-away example root ${own}` });
  const facts = {
    serial,
    issuer: subject,
    subject,
    notBeforeMs: Date.now() - dayMs,
    notAfterMs: Date.now() + 7 * dayMs,
    publicKey,
    extensions: makeRootExtensions(publicKey),
  };
  return { certPem: makeCertificate(facts, privateKey), keyPem: toPem(privateKey) };
}

/** @param {import('node:crypto').KeyObject} key */
function toPem(key) {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
