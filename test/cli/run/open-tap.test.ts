import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTap } from '../../../src/cli/run/open-tap.js';
import type { Fault } from '../../../src/core/events.js';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'llmtap-tap-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** The faults a tap has told of by the time a program could be started. */
async function openWith(noProxy: string): Promise<readonly Fault[]> {
  const faults: Fault[] = [];
  const env = { HOME: home, NO_PROXY: noProxy };
  const providers = [{ name: 'lab', baseUrl: 'http://gpu.corp.test:8080/v1' }];
  const plan = { host: { home, providers }, session: {}, java: false };
  const tap = await openTap(plan, { env, onFault: (fault) => faults.push(fault) });
  await tap.close();
  return faults;
}

describe('a tap', () => {
  it('tells of the entries of NO_PROXY that hide a provider before anything runs', async () => {
    const [fault, ...others] = await openWith('.openai.com, intranet.test gpu.corp.test:8080');
    expect(others).toEqual([]);
    expect(fault).toMatchObject({
      code: 'OPTION_CONFLICT',
      message:
        'NO_PROXY has .openai.com, gpu.corp.test:8080: calls to api.openai.com, gpu.corp.test:8080 go past the tap and are not seen.',
      hint: expect.stringContaining('NO_PROXY='),
      sessionId: expect.stringMatching(/^sess_/),
    });
  });

  it.each(['', 'intranet.test,10.0.0.0/8'])('tells of nothing when NO_PROXY is "%s"', async (noProxy) => {
    expect(await openWith(noProxy)).toEqual([]);
  });
});
