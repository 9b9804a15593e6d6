// The provider over TLS in a process of its own, for as long as its parent lives: tells its port and the file to trust
// it by, and answers questions.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeExampleCertificates } from './certificates.js';
import { openExampleProvider } from './provider.js';

const folder = mkdtempSync(join(tmpdir(), 'llmtap-provider-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const tls = await makeExampleCertificates(folder);
const provider = await openExampleProvider({ tls });
const local = await openExampleProvider({});

process.on('message', ({ id, question }) => {
  // What it was asked, over TLS and over plain HTTP, without what a process cannot send.
  const answer = question === 'requests' ? [...provider.requests, ...local.requests] : null;
  process.send?.({ id, answer: JSON.parse(JSON.stringify(answer)) });
});
process.on('disconnect', () => process.exit(0));
process.send?.({ port: provider.port, localPort: local.port, caPath: tls.caPath });
