import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { requireWritable, type SummaryFile, writeSummaryFile } from '../../../src/cli/run/write-summary-file.js';
import { makeCounts } from '../make-summary.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'llmtap-summary-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const summary: SummaryFile = {
  sessionId: 'sess_0123456789ab',
  openedAt: '2026-11-21T06:00:00.000Z',
  command: ['agent'],
  runId: 'run-7',
  configKey: null,
  variationKey: null,
  version: null,
  graphKey: null,
  graphRunId: null,
  dataId: null,
  comboId: null,
  agentId: null,
  endedAt: '2026-11-21T06:00:03.000Z',
  durationMs: 3000,
  exitCode: 0,
  calls: 0,
  errors: 0,
  refusedCalls: 0,
  counts: makeCounts(),
  models: [],
  faults: [],
};

it('replaces a file whole and leaves nothing beside it', () => {
  const path = join(folder, 'out.json');
  writeFileSync(path, 'old');
  writeSummaryFile(path, summary);
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(summary);
  expect(readdirSync(folder)).toEqual(['out.json']);
});

it('writes to a device as it is', () => {
  requireWritable('/dev/null');
  writeSummaryFile('/dev/null', summary);
  expect(readdirSync('/dev').filter((name) => name.startsWith('null.'))).toEqual([]);
});

it('refuses a folder, and a file in a folder that is not there', () => {
  const invalid = expect.objectContaining({ code: 'OPTION_INVALID' });
  expect(() => requireWritable(folder)).toThrow(invalid);
  expect(() => requireWritable(join(folder, 'missing', 'out.json'))).toThrow(/its folder does not exist/);
});

it.skipIf(process.getuid?.() === 0)('refuses a folder that cannot be written to (root can write to all)', () => {
  const closed = join(folder, 'closed');
  mkdirSync(closed);
  chmodSync(closed, 0o500);
  expect(() => requireWritable(join(closed, 'out.json'))).toThrow(/permission denied/);
});
