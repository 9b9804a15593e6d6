// Issue 2: a ledger that could not be opened made its fault before anybody could listen: the run ended without a word of it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { launch, openFolder } from '../cli/launch.js';

it('a run whose ledger is damaged goes on, and says once that nothing is recorded', async () => {
  const folder = openFolder();
  try {
    writeFileSync(join(folder.path, 'llmtap.db'), 'this is no database, and long enough to be taken for none at all');
    const { status, stdout, stderr } = await launch(['run', '--', 'echo', 'hello'], { home: folder.path });
    expect([status, stdout]).toEqual([0, 'hello\n']);
    expect(stderr.match(/Calls go on, but none of them is recorded/g)).toHaveLength(1);
    expect(stderr).toMatch(/\n {2}hint: /);
  } finally {
    folder.close();
  }
});
