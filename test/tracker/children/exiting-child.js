// Ends at once in the way it is told, with a run under way: nothing of it is closed. HOW, HOME_FOLDER, PROVIDER_URL by argument.
import { ConfigTracker, LLMTracker } from '../../../dist/index.js';

const [how, home, url] = process.argv.slice(2);
const open = async () => await new LLMTracker({ home, providers: [{ name: 'local', baseUrl: url }] }).start();
const run = { configKey: 'bot', runId: `run-${how}`, context: { kind: 'user', key: 'u' } };
const makeTracker = (tracker) => new ConfigTracker({ sink: tracker.sink, ...run });
const call = async () => {
  const body = JSON.stringify({ model: 'model-a', messages: [{ role: 'user', content: 'Hi' }] });
  const reply = await fetch(`${url}/v1/chat/completions`, {
    ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body },
  });
  return await reply.text();
};

const ways = {
  event: async () => {
    makeTracker(await open()).trackFeedback({ kind: 'positive' });
    process.exit(0);
  },
  burst: async () => {
    const tracker = makeTracker(await open());
    for (let at = 0; at < 2000; at++) tracker.trackToolCall(`tool-${at}`);
    process.exit(4);
  },
  call: async () => {
    const tracker = await open();
    await tracker.track(run, async () => {
      await call();
      process.exit(0);
    });
  },
  failed: async () => {
    const tracker = await open();
    await tracker.track(run, async (scope) => {
      await call();
      scope.tracker.trackToolCall('own');
      process.exit(7);
    });
  },
  finally: async () => {
    const tracker = await open();
    try {
      await tracker.track(run, async (scope) => {
        scope.tracker.trackDuration(5);
        throw new Error('down');
      });
    } finally {
      makeTracker(tracker).trackFeedback({ kind: 'negative' });
      process.exit(9);
    }
  },
  thrown: async () => {
    const tracker = await open();
    await tracker.track(run, async () => {
      await call();
      setImmediate(() => {
        throw new Error('nobody catches this');
      });
      await new Promise(() => undefined);
    });
  },
  late: async () => {
    const own = makeTracker(await open());
    process.on('exit', () => own.trackFeedback({ kind: 'positive' }));
    process.exit(0);
  },
  several: async () => {
    const first = makeTracker(await open());
    const listeners = process.listenerCount('exit');
    for (const own of [first, makeTracker(await open()), makeTracker(await open())]) own.trackToolCall('tool');
    process.exit(20 + process.listenerCount('exit') - listeners);
  },
  underway: async () => {
    const tracker = await open();
    await tracker.track(run, async () => {
      const body = JSON.stringify({ model: 'model-a', stream: true, messages: [{ role: 'user', content: 'Hi' }] });
      const headers = { 'content-type': 'application/json' };
      const reply = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body });
      await reply.body.getReader().read();
      process.exit(0);
    });
  },
};
await ways[how]();
