// Puts entries and prints the number of the last that is surely in the file: node put-entries.mjs PATH NAME COUNT
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openCacheStore } from '../../../dist/storage/cache-store.js';

const [path, name, count] = process.argv.slice(2);
const store = openCacheStore({ path, onFault: (fault) => writeSync(2, `${JSON.stringify(fault)}\n`) });
const body = Buffer.from(`{"said":"${'x'.repeat(500)}"}`);

for (let i = 0; i < Number(count); i++) {
  store.put({
    key: Buffer.from(`${name} ${i}`).toString('hex').padEnd(64, '0').slice(0, 64),
    ...{ variant: 'json', provider: 'openai', api: 'chat.completions', url: 'https://api.openai.com/v1/chat/completions' },
    ...{ model: 'm', parts: {}, isBound: false, status: 200, rawHeaders: [], pieces: [[body.length, 0]], body },
    ...{ callId: String(i), latencyMs: 1, storedAtMs: i, expiresAtMs: null },
  });
  if (i % 100 !== 99) continue;
  if (store.flush()) writeSync(1, `${i}\n`);
  await sleep(0);
}
store.close();
writeSync(1, 'closed\n');
