// A host with one session before an upstream of its own, in a process of its own: for children their starter waits for.
import { generateKeyPairSync } from 'node:crypto';
import https from 'node:https';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';

const [source, home, reply] = process.argv.slice(2);
const load = (path) => import(new URL(path, source).href);
const [{ openHost }, { openAuthority }, { makeSerial }, { makeIssuer, makeLeaf }] = await Promise.all(
  ['index.js', 'ca/authority.js', 'ca/certificate.js', 'ca/leaf.js'].map(load),
);

const authority = openAuthority(join(home, 'upstream'));
const issuer = makeIssuer(authority);
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = pair.privateKey.export({ format: 'pem', type: 'pkcs8' });
const makeCert = (host) =>
  makeLeaf({ issuer, host, leafPublicKey: pair.publicKey, nowMs: Date.now(), serial: makeSerial() }).certPem;
const upstream = https.createServer(
  {
    key,
    cert: makeCert('localhost'),
    SNICallback: (name, done) => done(null, createSecureContext({ key, cert: makeCert(name) })),
  },
  (request, response) => {
    request.resume().on('end', () => response.setHeader('content-type', 'application/json').end(reply));
  },
);
await new Promise((resolve) => upstream.listen(0, '127.0.0.1', resolve));

const host = await openHost({
  home: join(home, 'host'),
  env: {},
  connectTo: [`:443:127.0.0.1:${upstream.address().port}`],
  upstreamCa: authority.certPath,
});
const records = [];
host.onEvent((event) => {
  if (event.type === 'call.completed') records.push(event.record);
});
const open = await host.openSession();
process.on('message', () => process.send({ records }));
process.on('disconnect', () => process.exit());
process.send({
  session: open.session,
  proxyUrl: open.proxyUrl,
  port: open.port,
  caPath: host.caPath,
  bundlePath: host.bundlePath,
  extraCaPath: host.extraCaPath,
});
