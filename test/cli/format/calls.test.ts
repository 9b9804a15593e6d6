import { expect, it } from 'vitest';
import { makePalette } from '../../../src/cli/colour.js';
import { formatCallPage } from '../../../src/cli/format/call-page.js';
import { makeOutcomeCell } from '../../../src/cli/format/calls.js';
import { makeCall } from '../../storage/records.js';

const plain = makePalette({ isTty: false }, {});

it('tells a call whose stream stated an error from one without', () => {
  const error = { code: 'overloaded_error', message: 'Overloaded' };
  expect(makeOutcomeCell(makeCall(), plain).text).toBe('ok');
  expect(makeOutcomeCell(makeCall({ error }), plain).text).toBe('ok, with error');
  expect(makeOutcomeCell(makeCall({ outcome: 'http_error', status: 429, error }), plain).text).toBe('429');
  expect(formatCallPage(makeCall({ error }), plain)).toMatch(/^call \S+ {2}ok, with error\n/);
});
