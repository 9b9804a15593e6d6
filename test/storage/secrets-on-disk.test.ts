import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { redactBody, redactCommand, redactText, redactUrl } from '../../src/call/redaction.js';
import { collectAmbientSecrets, collectSecrets } from '../../src/call/secrets.js';
import { openLedgerWriter } from '../../src/storage/ledger-writer.js';
import { at, makeCall, makeHome, makeSession } from './records.js';

const canaries = {
  authorization: 'canary-authorization-1111',
  cookie: 'canary-cookie-2222',
  query: 'canary-query-3333',
  environment: 'canary-environment-4444',
  member: 'canary-member-5555',
  shaped: 'sk-ant-api03-canary-shaped-6666',
  setCookie: 'canary-set-cookie-7777',
};

describe('planted secrets', () => {
  it.each(['redacted', 'full'] as const)('are in no byte of any file under the policy %s', async (policy) => {
    const home = makeHome();
    const ambient = collectAmbientSecrets({ SOME_API_KEY: canaries.environment });
    const url = `https://example.com/v1/models?key=${canaries.query}`;
    const secrets = collectSecrets({
      requestHeaders: ['Authorization', `Bearer ${canaries.authorization}`, 'Cookie', `sid=${canaries.cookie}`],
      responseHeaders: ['Set-Cookie', `s=${canaries.setCookie}; Path=/`],
      url,
      ambient,
    });
    const everything = Object.values(canaries);
    const json = JSON.stringify({ password: canaries.member, all: everything.filter((c) => c !== canaries.member) });
    const quoted = everything.filter((canary) => canary !== canaries.member).join(' ');
    const half = canaries.authorization.length / 2;
    const stream = [canaries.authorization.slice(0, half), canaries.authorization.slice(half)]
      .map((content) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`)
      .join('');
    const writer = openLedgerWriter({ home, onFault: () => undefined });
    const bodies = [json, json.slice(0, -3), stream, JSON.stringify({ arguments: json }), quoted];
    for (const [i, text] of bodies.entries()) {
      const body = redactBody({ text, contentType: null, policy, secrets });
      const message = redactText(`upstream said ${quoted}`, secrets);
      writer.saveCall(
        makeCall({
          startedAt: at(i),
          url: redactUrl(url, secrets),
          requestBody: body,
          responseBody: body,
          error: { code: 'X', message },
        }),
      );
    }
    writer.saveSessionOpened(
      makeSession({ command: redactCommand(['agent', '--api-key', canaries.member, quoted], [...everything]) }),
    );
    const readAll = (): string =>
      readdirSync(home)
        .map((name) => readFileSync(join(home, name)).toString('latin1'))
        .join('');
    const pieces = [
      ...everything,
      canaries.authorization.slice(half),
      ...everything.map((c) => Buffer.from(c).toString('base64')),
    ];
    for (const piece of pieces) expect(readAll()).not.toContain(piece);
    await writer.close();
    for (const piece of pieces) expect(readAll()).not.toContain(piece);
    expect(readAll()).toContain('redacted:');
  });
});
