import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { openAuthority } from '../../ca/authority.js';
import { makeSerial } from '../../ca/certificate.js';
import { makeIssuer, makeLeaf } from '../../ca/leaf.js';

/**
 * The provider's name. `.invalid` names nothing, by RFC 6761 section 6.4 (https://www.rfc-editor.org/rfc/rfc6761, read
 * 2026-11-27): only who asks the session can reach it, and who goes direct fails by its own resolver.
 */
export const canaryHost = 'llm.llmtap.invalid';

/** A model provider on loopback that answers any chat completion. */
export interface CanaryProvider {
  readonly port: number;
  /** PEM file of the root its certificate is signed with. */
  readonly caPath: string;
  /** Whether a request held the text in its path or body. */
  hasGot(nonce: string): boolean;
  close(): Promise<void>;
}

const mostBodyBytes = 64 * 1024;
const mostRequests = 1000;

/** @param home a folder of its own, for its authority */
export async function openCanaryProvider(home: string): Promise<CanaryProvider> {
  const authority = openAuthority(home);
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const serial = makeSerial();
  const issuer = makeIssuer(authority);
  const { certPem } = makeLeaf({ issuer, host: canaryHost, leafPublicKey: publicKey, nowMs: Date.now(), serial });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const got: string[] = [];
  const server = createServer({ key, cert: certPem }, (request, response) => void answer(request, response, got));
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    // A listening TCP server has an address of this shape.
    port: (server.address() as AddressInfo).port,
    caPath: authority.certPath,
    hasGot: (nonce) => got.some((text) => text.includes(nonce)),
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, got: string[]): Promise<void> {
  response.on('error', () => undefined);
  let body = '';
  try {
    for await (const chunk of request.setEncoding('utf8')) if (body.length < mostBodyBytes) body += String(chunk);
  } catch {
    // The client left.
    return;
  }
  if (got.length < mostRequests) got.push(`${request.url ?? ''} ${body}`);
  const isCall = request.method === 'POST';
  const text = JSON.stringify(isCall ? makeCompletion() : { error: { message: 'There is nothing here.' } });
  response.writeHead(isCall ? 200 : 404, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    connection: 'close',
  });
  response.end(text);
}

/** Source: https://platform.openai.com/docs/api-reference/chat/object (read 2026-11-27). */
function makeCompletion() {
  return {
    id: 'chatcmpl-canary',
    object: 'chat.completion',
    created: Math.floor(Date.now() / 1000),
    model: 'canary',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Heard.' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  };
}
