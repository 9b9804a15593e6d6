import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import { installTraffic } from '../../../src/activation/traffic/install-traffic.js';
import type { CallRecord } from '../../../src/core/call-record.js';
import type { OpenSession } from '../../../src/core/host.js';
import { chatReply } from '../../fixtures/replies.js';
import { openRig, type Rig } from '../../fixtures/rig.js';
import { makeTestScope, type TestScope } from '../../fixtures/scoped-session.js';
import { openUpstream, type TestUpstream } from '../../fixtures/upstream.js';

/** A host on this thread before two model providers, one of TLS, one of plain HTTP, which are reached directly too. */
export interface TrafficLab {
  readonly rig: Rig;
  readonly plain: TestUpstream;
  /** `https://localhost:PORT` */
  readonly origin: string;
  readonly plainOrigin: string;
  undo(): void;
  /** After `undo`. */
  reinstall(): void;
  openScope(): Promise<TestScope>;
  scopeOf(session: OpenSession): TestScope;
  openOf(scope: TestScope): OpenSession;
  /** Registers another provider, for scopes opened from now on. */
  addOrigin(origin: string): void;
  /** The models recorded so far, by session. */
  modelsBySession(): ReadonlyMap<string, readonly string[]>;
  close(): Promise<void>;
}

export async function openTrafficLab(): Promise<TrafficLab> {
  const rig = await openRig();
  const plain = await openUpstream({ plain: true });
  const origin = `https://localhost:${rig.upstream.port}`;
  const plainOrigin = `http://localhost:${plain.port}`;
  for (const [name, baseUrl] of [
    ['lab', origin],
    ['lab-plain', plainOrigin],
  ] as const) {
    rig.host.registerProvider({ name, baseUrl });
  }
  for (const upstream of [rig.upstream, plain]) upstream.handler = answerChat;
  const distrust = trustEverywhere(readFileSync(rig.upstream.caPath, 'utf8'));
  let undo = installTraffic();
  const sessions = new Map<TestScope, OpenSession>();
  const origins = [origin, plainOrigin];
  const scopeOf = (session: OpenSession): TestScope => {
    const scope = makeTestScope(session, { caPem: rig.ca, bundlePath: rig.host.bundlePath, origins });
    sessions.set(scope, session);
    return scope;
  };
  return {
    rig,
    plain,
    origin,
    plainOrigin,
    undo: () => undo(),
    reinstall: () => {
      undo = installTraffic();
    },
    scopeOf,
    openOf: (scope) => sessions.get(scope) as OpenSession,
    openScope: async () => scopeOf(await rig.openSession()),
    addOrigin: (further) => {
      rig.host.registerProvider({ name: `lab-${origins.length}`, baseUrl: further });
      origins.push(further);
    },
    modelsBySession: () => {
      const models = new Map<string, string[]>();
      for (const record of rig.records) {
        const list = models.get(record.sessionId) ?? [];
        models.set(record.sessionId, list);
        list.push(record.requestedModel ?? '');
      }
      return models;
    },
    close: async () => {
      undo();
      distrust();
      await rig.close();
      await plain.close();
    },
  };
}

const answerChat: TestUpstream['handler'] = (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { model } = JSON.parse(Buffer.concat(chunks).toString() || '{}') as { model?: string };
    response.setHeader('content-type', 'application/json');
    response.setHeader('x-model', model ?? '');
    response.end(chatReply);
  });
};

/** As a certificate in NODE_EXTRA_CA_CERTS would be, which only counts when a process starts. */
function trustEverywhere(ca: string): () => void {
  const original = tls.createSecureContext;
  const roots = [...tls.rootCertificates, ca];
  tls.createSecureContext = (options) => original(options?.ca ? options : { ...options, ca: roots });
  return () => {
    tls.createSecureContext = original;
  };
}

/** The records of a session, when there are so many. */
export async function waitForRecordsOf(lab: TrafficLab, scope: TestScope, count: number): Promise<CallRecord[]> {
  const mine = (): CallRecord[] => lab.rig.records.filter((record) => record.sessionId === scope.session.sessionId);
  while (mine().length < count) await lab.rig.waitForRecords(lab.rig.records.length + 1);
  return mine();
}

export interface Gate {
  readonly promise: Promise<void>;
  resolve(): void;
}

/** A promise to be resolved from outside. */
export function makeGate(): Gate {
  const gate: { resolve: () => void } = { resolve: () => undefined };
  const promise = new Promise<void>((resolve) => {
    gate.resolve = resolve;
  });
  return { promise, resolve: () => gate.resolve() };
}
