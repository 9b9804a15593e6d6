import { expect, it } from 'vitest';
import { findRestoreNote, formatRestoreNote, restoreName } from '../../../src/cli/shell/restore-note.js';

it('reads back what it wrote', () => {
  const note = { pid: 4711, startMark: '99', previous: { HTTPS_PROXY: null, NODE_OPTIONS: '--x="ü"' } };
  expect(findRestoreNote({ [restoreName]: formatRestoreNote(note) })).toEqual(note);
});

it('takes nothing that is not its own', () => {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');
  const wrong = [
    undefined,
    '',
    'x',
    encode(null),
    encode({ pid: 1, startMark: null, previous: {} }),
    encode({ pid: 4711, startMark: null, previous: { A: 1 } }),
    encode({ pid: 4711, startMark: null }),
  ];
  for (const value of wrong) expect(findRestoreNote({ [restoreName]: value }), value).toBeUndefined();
});
