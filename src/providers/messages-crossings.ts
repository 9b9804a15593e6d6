import type { Crossing, HeadCrossing, ReplyCrossing } from '../core/crossing.js';
import type { ApiAddress, AskedAddress, Dialect, Origin, RawHeaders } from '../core/wire.js';
import { anthropicMessages } from './anthropic-messages.js';
import { isSameApi } from './api-address.js';
import { bedrockInvoke, bedrockInvokeStream } from './bedrock-invoke.js';
import { BedrockMessagesStream } from './bedrock-messages-stream.js';
import type { CloudPlaces } from './cloud-places.js';
import { isAwsEventStream } from './framing.js';
import { MessagesError } from './messages-error.js';
import { type MessagesForm, putInForm } from './messages-request.js';
import { putBedrockModel } from './model-rewrite.js';
import { vertexMessages } from './vertex-raw.js';

type Found = ApiAddress | { readonly problem: string };

/** `us-east-1`, `us-gov-west-1`, `europe-west1`, `global`: one label of a host name. */
const REGION = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
/** An id, a number, or an id within a domain: https://cloud.google.com/resource-manager/docs/creating-managing-projects (read 2026-11-27). */
const PROJECT = /^(?:[a-z0-9][a-z0-9.-]*:)?[a-z0-9][a-z0-9-]*$/;
const VERTEX_MODEL = /^[A-Za-z0-9][\w.@-]*$/;

/**
 * Where a cloud serves Anthropic's messages in a form of its own, and how a call to Anthropic's API is put in it: Amazon
 * Bedrock's InvokeModel, Vertex AI's rawPredict. `undefined` for any other provider or API.
 *
 * Sources: the npm packages `@anthropic-ai/bedrock-sdk` 1.1.3 and `@anthropic-ai/vertex-sdk` 1.1.3 (`client.mjs`: hosts, paths,
 * members, headers, versions after the first); for the first version
 * https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html and
 * https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude; read 2026-11-27.
 */
export function findMessagesCrossing(provider: string, asked: AskedAddress, places: CloudPlaces): Found | undefined {
  if (!isSameApi(asked.dialect, anthropicMessages)) return undefined;
  if (provider === 'aws-bedrock') return findBedrock(asked, places);
  return provider === 'google-vertex' ? findVertex(asked, places) : undefined;
}

function findBedrock({ model, stream, region }: AskedAddress, places: CloudPlaces): Found {
  const at = region ?? places.bedrockRegion;
  if (at === null) return { problem: 'no region is known: give region, or set AWS_REGION' };
  if (!REGION.test(at)) return { problem: `${quote(at)} is no region` };
  const method = stream ? 'invoke-with-response-stream' : 'invoke';
  const path = putBedrockModel({ body: NO_BODY, path: `/model/*/${method}` }, model)?.path;
  if (path === undefined) return { problem: `${quote(model)} cannot stand in its path` };
  const dialect = stream ? bedrockInvokeStream : bedrockInvoke;
  return makeAddress('aws-bedrock', `bedrock-runtime.${at}.amazonaws.com`, { path, dialect, crossing: BEDROCK });
}

function findVertex({ model, stream, region, project }: AskedAddress, places: CloudPlaces): Found {
  const at = region ?? places.vertexRegion;
  const of = project ?? places.vertexProject;
  if (at === null) return { problem: 'no region is known: give region, or set CLOUD_ML_REGION' };
  if (of === null) return { problem: 'no project is known: give project, or set ANTHROPIC_VERTEX_PROJECT_ID' };
  if (!REGION.test(at)) return { problem: `${quote(at)} is no region` };
  if (!PROJECT.test(of)) return { problem: `${quote(of)} is no project` };
  if (!VERTEX_MODEL.test(model)) return { problem: `${quote(model)} cannot stand in its path` };
  const method = stream ? 'streamRawPredict' : 'rawPredict';
  const path = `/v1/projects/${of}/locations/${at}/publishers/anthropic/models/${model}:${method}`;
  return makeAddress('google-vertex', findVertexHost(at), { path, dialect: vertexMessages, crossing: VERTEX });
}

function findVertexHost(region: string): string {
  if (region === 'global') return 'aiplatform.googleapis.com';
  const isMultiRegion = region === 'us' || region === 'eu';
  return isMultiRegion ? `aiplatform.${region}.rep.googleapis.com` : `${region}-aiplatform.googleapis.com`;
}

function makeAddress(
  provider: string,
  host: string,
  { path, dialect, crossing }: { readonly path: string; readonly dialect: Dialect; readonly crossing: Crossing },
): ApiAddress {
  const origin: Origin = { scheme: 'https', host, port: 443 };
  return { origin, path, match: { provider, dialect, canAskForStreamUsage: false }, crossing };
}

function quote(name: string): string {
  return JSON.stringify(name.slice(0, 60));
}

const NO_BODY = Buffer.alloc(0);

const BEDROCK_FORM: MessagesForm = {
  ...{ cloud: 'Amazon Bedrock', inPath: ['model', 'stream'], firstVersion: 'bedrock-2023-05-31', readsBody: true },
};
const VERTEX_FORM: MessagesForm = {
  ...{ cloud: 'Vertex AI', inPath: ['model'], firstVersion: 'vertex-2023-10-16', readsBody: false },
};

interface ReplyHeadParts {
  readonly status: number;
  readonly rawHeaders: RawHeaders;
}

const BEDROCK: Crossing = { makeRequest: (request) => putInForm(request, BEDROCK_FORM), openReply: openBedrockReply };

/** Errors alone: all other replies are Anthropic's own. */
const VERTEX: Crossing = {
  makeRequest: (request) => putInForm(request, VERTEX_FORM),
  openReply: ({ status, rawHeaders }) =>
    status < 400
      ? null
      : new MessagesError({ status, rawHeaders, requestId: find(rawHeaders, 'request-id'), changes: [] }),
};

function openBedrockReply({ status, rawHeaders }: ReplyHeadParts): ReplyCrossing | HeadCrossing | null {
  const requestId = find(rawHeaders, 'x-amzn-requestid');
  const head = giveRequestId(rawHeaders, requestId);
  if (status >= 400) return new MessagesError({ status, ...head, requestId });
  if (!isAwsEventStream(find(rawHeaders, 'content-type'))) return head.changes.length === 0 ? null : head;
  const isType = (i: number): boolean => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === 'content-type';
  const typed = head.rawHeaders.map((text, i) => (isType(i) ? 'text/event-stream; charset=utf-8' : text));
  return new BedrockMessagesStream({ rawHeaders: typed, changes: head.changes });
}

/** Where Anthropic's clients look for it, AWS's own header beside it. */
function giveRequestId(rawHeaders: RawHeaders, requestId: string | null): HeadCrossing {
  if (requestId === null || find(rawHeaders, 'request-id') !== null) return { rawHeaders, changes: [] };
  return {
    rawHeaders: [...rawHeaders, 'request-id', requestId],
    changes: ['reply: request-id header added, as x-amzn-requestid has it'],
  };
}

function find(rawHeaders: RawHeaders, name: string): string | null {
  const at = rawHeaders.findIndex((text, i) => i % 2 === 0 && text.toLowerCase() === name);
  return at === -1 ? null : (rawHeaders[at + 1] ?? null);
}
