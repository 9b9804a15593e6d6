import { createPublicKey } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { readErrorMessage } from '../core/errors.js';
import { makeSerial } from './certificate.js';
import { type Leaf, makeIssuer, makeLeaf } from './leaf.js';

/** What the worker is started with; all PEM. The leaf's private key stays with the process's main thread. */
export interface LeafWorkerData {
  readonly certPem: string;
  readonly keyPem: string;
  readonly leafPublicKeyPem: string;
}

export interface LeafQuestion {
  readonly id: number;
  readonly host: string;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/** Answers come in the order of the questions. */
export type LeafAnswer =
  | { readonly id: number; readonly leaf: Leaf }
  | { readonly id: number; readonly problem: string };

const { certPem, keyPem, leafPublicKeyPem } = workerData as LeafWorkerData;
const issuer = makeIssuer({ certPem, keyPem });
const leafPublicKey = createPublicKey(leafPublicKeyPem);

parentPort?.on('message', ({ id, host, nowMs }: LeafQuestion) => {
  parentPort?.postMessage(makeAnswer(id, host, nowMs));
});

function makeAnswer(id: number, host: string, nowMs: number): LeafAnswer {
  try {
    return { id, leaf: makeLeaf({ issuer, host, leafPublicKey, nowMs, serial: makeSerial() }) };
  } catch (error) {
    return { id, problem: readErrorMessage(error) };
  }
}
