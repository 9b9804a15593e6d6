import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

it('examples/in-code.js records the call of the program, of its child, and of the child it waits for', async () => {
  const { PATH, HOME } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, [join(root, 'examples', 'in-code.js')], {
    env: { PATH, HOME },
  });
  const summary = stdout.slice(stdout.indexOf('data Lisbon'));
  expect(summary).toMatch(/^data Lisbon: 1 call, [\s\S]*^data Oslo: 4 calls, [\s\S]*^data Rome: 4 calls, /m);
  expect(summary.trim().split('\n').at(-1)).toMatch(/^9 calls, 0 errors, /);
});
