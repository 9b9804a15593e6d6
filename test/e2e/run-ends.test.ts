import { afterEach, expect, it } from 'vitest';
import { openLedgerReader } from '../../src/storage/ledger-reader.js';
import { readJsonLines } from '../cli/launch.js';
import { findChild, type Lab, openLab } from './lab.js';

let lab: Lab;
afterEach(async () => await lab.close());

const flags = ['--run-id', 'ended', '--config-key', 'bot'];
const worker = (rounds: number) => [
  process.execPath,
  findChild('worker-child.js'),
  'https://api.openai.com',
  `${rounds}`,
];

interface Told {
  readonly names: readonly string[];
  readonly error: unknown;
  readonly row: unknown;
}

async function read(): Promise<Told> {
  const ledger = openLedgerReader({ home: lab.home });
  const events = [...ledger.listEvents({ runId: 'ended' })];
  ledger.close();
  const [row] = readJsonLines((await lab.llmtap('runs', '--json')).stdout);
  return {
    names: events.map(({ name }) => name.replace('$ld:ai:', '')),
    error: events.find(({ name }) => name.endsWith('generation:error'))?.data,
    row,
  };
}

const tokens = ['tokens:total', 'tokens:input', 'tokens:output'];

it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  'a run that %s ends is aborted, and says what it did until then',
  async (signal) => {
    lab = await openLab();
    let isSent = false;
    const ended = await lab.run(worker(100_000), {
      flags,
      onLine: (line, tap) => {
        if (isSent || !line.startsWith('finished')) return;
        isSent = true;
        tap.kill(signal);
      },
    });
    expect(ended.status).toBeGreaterThan(128);
    const { names, error, row } = await read();
    expect(names).toEqual(
      ['duration:total', 'tokens:ttf', 'generation:error', ...tokens].filter((name) => names.includes(name)),
    );
    expect(names).toEqual(expect.arrayContaining(['duration:total', 'generation:error', ...tokens]));
    expect(error).toMatchObject({ outcome: 'aborted' });
    expect(row).toMatchObject({ outcome: 'aborted', exitCode: ended.status });
  },
);

it('a run whose program fails after calls that all went well has failed', async () => {
  lab = await openLab();
  const command = `${worker(2)
    .map((part) => `'${part}'`)
    .join(' ')}; exit 3`;
  const ended = await lab.run(['sh', '-c', command], { flags });
  expect(ended.status).toBe(3);
  const { names, error, row } = await read();
  expect(names).toEqual(['duration:total', 'generation:error', ...tokens]);
  expect(error).not.toHaveProperty('outcome');
  expect(row).toMatchObject({ outcome: 'error', exitCode: 3, errors: 0 });
});

it('a program that cannot be started leaves no success behind', async () => {
  lab = await openLab();
  const ended = await lab.run(['/no/such/program'], { flags });
  expect(ended.status).toBe(127);
  const { names } = await read();
  expect(names.filter((name) => name !== 'generation:error')).toEqual([]);
});
