import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runChild } from '../activation/tunnel-lab.js';
import { findChild } from '../e2e/lab.js';
import { openRig, type Rig } from '../fixtures/rig.js';
import { openSocketProvider, type SocketProvider } from '../fixtures/socket-provider.js';
import { openSpawnSession } from '../fixtures/spawn-session.js';

let rig: Rig;
let provider: SocketProvider;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(async () => {
  provider.close();
  await rig.close();
});

describe('Gemini Live by the official client, as a program under llmtap', () => {
  it.each([false, true])('leaves a record for each turn, with its own usage (compressed: %s)', async (compress) => {
    provider = openSocketProvider(rig, { compress });
    const open = await rig.openSession({ configKey: 'live' });
    const session = openSpawnSession(rig, { open });
    const key = 'AIzaSyTest0123456789abcdefghijklmnopqr';
    const env = { ...session.makeChildVariables({}), GEMINI_API_KEY: key };
    const { stdout, stderr } = await runChild([process.execPath, findChild('gemini-live-child.js')], { env });
    expect({ stdout, stderr }).toEqual({ stdout: 'Good day.\nGood day.\n', stderr: '' });
    expect(provider.heard).toMatchObject([{ setup: { model: 'models/gemini-live-2.5-flash-preview' } }, {}, {}]);
    session.close();
    await open.close();
    const records = rig.records.filter(({ sessionId }) => sessionId === open.session.sessionId);
    const common = {
      provider: 'google',
      api: 'live',
      configKey: 'live',
      protocol: 'websocket',
      requestedModel: 'gemini-live-2.5-flash-preview',
      status: 101,
      stream: true,
      outcome: 'ok',
      partial: false,
      usageProblem: null,
    };
    expect(records).toMatchObject([
      {
        ...common,
        usage: { inputTokens: 100, outputTokens: 21, totalTokens: 120 },
        usageDetails: { inputTextTokens: 90, inputAudioTokens: 10, outputTextTokens: 21 },
        requestBody: { clientContent: { turns: [{ parts: [{ text: 'Hello.' }] }] } },
      },
      { ...common, usage: { inputTokens: 200, outputTokens: 22, totalTokens: 240 } },
    ]);
    expect(records[0]?.url).toMatch(/BidiGenerateContent\?key=\[redacted/);
    expect(JSON.stringify(records)).not.toContain(key);
  });
});
