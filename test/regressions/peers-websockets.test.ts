// Failures of the field's tools with WebSockets; the numbers are those of test/regressions/README.md.
import tls from 'node:tls';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { openLedgerReader } from '../../src/storage/ledger-reader.js';
import { openSecure, openTunnel } from '../fixtures/proxy-client.js';
import { openRig, type Rig } from '../fixtures/rig.js';
import { openSocketProvider, send } from '../fixtures/socket-provider.js';

let rig: Rig;
beforeEach(async () => {
  rig = await openRig();
});
afterEach(async () => await rig.close());

const url = 'wss://api.openai.com/v1/responses';

// openai/codex#46489: the WebSocket of one client went by the system's roots alone, whatever SSL_CERT_FILE said.
it('failure 1: a WebSocket whose client does not trust the tap fails at once, and a fault names the host and what to do', async () => {
  for (let i = 0; i < 2; i += 1) {
    const { socket } = await openTunnel(rig.session.port, 'api.openai.com:443', { 'User-Agent': 'codex_cli_rs/0.169' });
    const createConnection = (): tls.TLSSocket => tls.connect({ socket, servername: 'api.openai.com' });
    const refused = new WebSocket(url, { createConnection } as never);
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => refused.once('error', resolve));
    expect(error.code).toMatch(/^(SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|DEPTH_ZERO)/);
  }
  const [fault] = await rig.waitForFaults(1);
  expect(fault).toMatchObject({ code: 'TLS_REFUSED', hint: expect.stringContaining('SSL_CERT_FILE') });
  expect(fault?.message).toContain('api.openai.com');
  expect(rig.session.counts()).toMatchObject({ calls: 0, upgrades: 0 });
});

// claude-tap, .agents/docs/error-experience (2026-07-21): the record came when the idle socket closed, five minutes later.
it('failure 5: a response on a WebSocket is in the ledger while its socket is open', async () => {
  const provider = openSocketProvider(rig);
  const secure = await openSecure(rig.session.port, 'api.openai.com', { ca: rig.ca });
  const socket = new WebSocket(url, { createConnection: () => secure } as never);
  await new Promise((resolve) => socket.once('open', resolve));
  for (const [at, input] of ['one', 'two'].entries()) {
    send(socket, { type: 'response.create', model: 'gpt-5', input });
    await rig.waitForRecords(at + 1);
    // The ledger writes at the end of the turn in which a record is announced.
    await new Promise((resolve) => setImmediate(resolve));
    const ledger = openLedgerReader({ home: rig.home });
    const kept = [...ledger.listCalls({}, { bodies: true })];
    ledger.close();
    expect(kept).toEqual(rig.records);
  }
  expect(socket.readyState).toBe(WebSocket.OPEN);
  socket.terminate();
  provider.close();
});
