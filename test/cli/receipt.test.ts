import { describe, expect, it } from 'vitest';
import { makePalette } from '../../src/cli/colour.js';
import { formatReceipt } from '../../src/cli/format/receipt.js';
import { makeCall } from '../storage/records.js';

const palette = makePalette({ isTty: false }, {});
const receipt = { requestFromClient: 'aa', requestToProvider: 'bb', replyFromProvider: 'cc', replyToClient: 'cc' };

describe('a receipt as text', () => {
  it('says for each way whether it was altered, and what llmtap meant to change', () => {
    const text = formatReceipt(makeCall({ callId: 'c1', receipt, changes: ['request: model set'] }), palette);
    expect(text.split('\n')).toEqual([
      'receipt of call c1',
      '',
      'request  altered  100 B taken',
      '  from the client     aa',
      '  to the provider     bb',
      '',
      'reply  unaltered  200 B taken',
      '  from the provider   cc',
      '  to the client       cc',
      '',
      'changes meant',
      '  request: model set',
      '',
    ]);
  });

  it('says of a WebSocket what its hashes are of', () => {
    const text = formatReceipt(makeCall({ protocol: 'websocket', receipt }), palette);
    expect(text).toContain('Of all bytes of its WebSocket, frames as they were');
    expect(text).toMatch(/\nreply {2}unaltered\n/);
  });

  it('says so when none was taken, and when a way had no body', () => {
    expect(formatReceipt(makeCall(), palette)).toContain('No receipt was taken');
    const none = { requestFromClient: null, requestToProvider: null, replyFromProvider: null, replyToClient: null };
    expect(formatReceipt(makeCall({ receipt: none }), palette)).toMatch(/no body.*nothing.*changes meant\n {2}none/s);
  });
});
