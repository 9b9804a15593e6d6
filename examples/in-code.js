/**
 * The tap from code, on one machine and without any account: node examples/in-code.js, after `npm run build`.
 *
 * Calls the official OpenAI package in this process, and starts two agents as children, one of them synchronously, each
 * in a scope of its own; prints what was recorded. The provider runs in a process of its own, as a real one would.
 */
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import OpenAI from 'openai';
import { LLMTracker } from '../dist/index.js';

const home = await mkdtemp(join(tmpdir(), 'llmtap-in-code-'));
const provider = fork(new URL('provider/serve.js', import.meta.url), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
const [{ port, caPath }] = await once(provider, 'message');
process.env.OPENAI_API_KEY ??= 'example-key';

const tracker = new LLMTracker({ home, connectTo: [`:443:127.0.0.1:${port}`], upstreamCa: caPath });
await tracker.start();
try {
  const openai = new OpenAI();
  const agent = fileURLToPath(new URL('agents/openai-agent.js', import.meta.url));

  await tracker.track({ configKey: 'guide', dataId: 'Lisbon' }, async () => {
    const messages = [{ role: 'user', content: 'What should I see first in Lisbon?' }];
    const stream = await openai.chat.completions.create({ model: 'gpt-4o-mini', stream: true, messages });
    for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? '');
    process.stdout.write('\n');
  });

  await tracker.track({ configKey: 'guide', dataId: 'Oslo' }, async () => {
    const child = fork(agent, ['Oslo']);
    await once(child, 'exit');
  });

  // This process waits, and can do nothing else meanwhile; the tap has a thread of its own.
  await tracker.track({ configKey: 'guide', dataId: 'Rome' }, () =>
    execFileSync(process.execPath, [agent, 'Rome'], { stdio: 'inherit' }),
  );

  console.log();
  console.log(await tracker.printSummary());
} finally {
  await tracker.close();
  provider.disconnect();
  await rm(home, { recursive: true, force: true });
}
