import type { JsonValue } from '../core/call-record.js';
import type { RequestFacts } from '../core/wire.js';
import { findField, findText } from './json-fields.js';
import { readSegments } from './path-pattern.js';
import { readBodySession } from './wire-session.js';

const MAX_MODEL_CHARS = 256;

/** Reads a request whose body names the model and whether a stream is wanted. */
export function readBodyRequest(body: JsonValue): RequestFacts {
  return {
    model: findText(body, 'model')?.slice(0, MAX_MODEL_CHARS) ?? null,
    stream: findField(body, 'stream') === true,
    wireSession: readBodySession(body),
  };
}

/**
 * Reads a request of an OpenAI-shaped API: as `readBodyRequest`, but where the URL names an Azure deployment that is
 * what answers, whatever the body says.
 *
 * Source: https://learn.microsoft.com/azure/ai-foundry/openai/reference
 */
export function readOpenaiRequest(body: JsonValue, path: string): RequestFacts {
  const facts = readBodyRequest(body);
  const deployment = findSegmentAfter(path, 'deployments');
  return deployment === undefined ? facts : { ...facts, model: deployment.slice(0, MAX_MODEL_CHARS) };
}

/**
 * Reads the model out of a Google path: `/v1beta/models/gemini-2.5-pro:generateContent` gives `gemini-2.5-pro`,
 * `/v1beta/tunedModels/mine:generateContent` gives `tunedModels/mine`. `null` where the path names none.
 */
export function readGoogleModel(path: string): string | null {
  const model = findSegmentAfter(path, 'models');
  const tuned = model === undefined ? findSegmentAfter(path, 'tunedModels') : undefined;
  const named = (model ?? (tuned === undefined ? '' : `tunedModels/${tuned}`)).replace(/:[^:]*$/, '');
  return named === '' ? null : named.slice(0, MAX_MODEL_CHARS);
}

/** Reads the endpoint out of a Vertex AI path: `/v1/projects/p/locations/l/endpoints/7:generateContent` gives `endpoints/7`. */
export function readGoogleEndpoint(path: string): string | null {
  const endpoint = findSegmentAfter(path, 'endpoints')?.replace(/:[^:]*$/, '') ?? '';
  return endpoint === '' ? null : `endpoints/${endpoint}`.slice(0, MAX_MODEL_CHARS);
}

/**
 * Reads a request of Bedrock's runtime, whose model stands in the path: `/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse`.
 * An id, or the ARN of a model, of an inference profile, a provisioned throughput, a prompt router …
 *
 * Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html (read 2026-11-27).
 */
export function readBedrockRequest(body: JsonValue, path: string, stream: boolean): RequestFacts {
  const model = findSegmentAfter(path, 'model')?.slice(0, MAX_MODEL_CHARS) ?? null;
  return { model, stream, wireSession: readBodySession(body) };
}

function findSegmentAfter(path: string, name: string): string | undefined {
  const segments = readSegments(path);
  const at = segments.indexOf(name);
  return at === -1 ? undefined : segments[at + 1] || undefined;
}
