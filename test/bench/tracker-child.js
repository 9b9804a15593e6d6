// A child of the bench's: one call, its status, the end.
import { readFileSync } from 'node:fs';
import https from 'node:https';

const [url, caPath] = process.argv.slice(2);
const body = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }] });
const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
const lookup = (_host, options, done) =>
  options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);
// In a session the tap's certificate is what it meets: trusted besides the provider's own.
const extra = process.env.NODE_EXTRA_CA_CERTS;
const ca = [readFileSync(caPath, 'utf8'), ...(extra ? [readFileSync(extra, 'utf8')] : [])];
https
  .request(url, { method: 'POST', headers, ca, lookup }, (reply) => {
    reply.resume().on('end', () => console.log(reply.statusCode));
  })
  .end(body);
