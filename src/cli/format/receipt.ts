import type { CallRecord } from '../../core/call-record.js';
import type { Palette } from '../colour.js';
import { formatBytes } from './number.js';
import { readableLine } from './text.js';

interface Way {
  readonly name: string;
  /** `null` where they are not all that the hashes are of. */
  readonly bytes: number | null;
  readonly taken: { readonly from: string; readonly hash: string | null };
  readonly given: { readonly to: string; readonly hash: string | null };
}

/**
 * A call's receipt: for each way the SHA-256 of the body's bytes as they were taken and as they were given away, whether
 * the two are the same, and the changes llmtap means to have made. Whoever has the bytes of either end can hash them too.
 */
export function formatReceipt(call: CallRecord, palette: Palette): string {
  const { receipt } = call;
  const title = `${palette.bold(`receipt of call ${call.callId}`)}\n`;
  if (receipt === null) {
    return `${title}  No receipt was taken: the call was recorded by an earlier version.\n`;
  }
  const { requestFromClient, requestToProvider, replyFromProvider, replyToClient } = receipt;
  const ways: readonly Way[] = [
    {
      name: 'request',
      bytes: call.requestBytes,
      taken: { from: 'client', hash: requestFromClient },
      given: { to: 'provider', hash: requestToProvider },
    },
    {
      name: 'reply',
      bytes: call.responseBytes,
      taken: { from: 'provider', hash: replyFromProvider },
      given: { to: 'client', hash: replyToClient },
    },
  ];
  const isSocket = call.protocol === 'websocket';
  const listed = ways.map((way) => formatWay(isSocket ? { ...way, bytes: null } : way, palette));
  return [title, isSocket ? ofSocket : '', ...listed, formatChanges(call.changes, palette)].join('');
}

const ofSocket =
  '  Of all bytes of its WebSocket, frames as they were, from its opening until this response was on record.\n';

function formatWay({ name, bytes, taken, given }: Way, palette: Palette): string {
  const isSame = taken.hash === given.hash;
  const verdict = isSame ? palette.green(taken.hash === null ? 'no body' : 'unaltered') : palette.yellow('altered');
  const lines = [
    `\n${palette.bold(name)}  ${verdict}${bytes === null ? '' : `  ${palette.dim(`${formatBytes(bytes)} taken`)}`}\n`,
    `  ${palette.dim(`from the ${taken.from}`.padEnd(18))}  ${taken.hash ?? 'nothing'}\n`,
    `  ${palette.dim(`to the ${given.to}`.padEnd(18))}  ${given.hash ?? 'nothing'}\n`,
  ];
  return lines.join('');
}

function formatChanges(changes: readonly string[], palette: Palette): string {
  const listed = changes.length === 0 ? ['none'] : changes;
  return `\n${palette.bold('changes meant')}\n${listed.map((change) => `  ${readableLine(change)}\n`).join('')}`;
}
