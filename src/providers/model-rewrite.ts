import type { ModelRequest } from '../core/wire.js';
import { readSegments } from './path-pattern.js';
import { findElements, findMembers, replaceMember, spliceBytes } from './wire/json-members.js';

/** A name as the path keeps it: `models/gemini-2.5-pro`, `tunedModels/mine`. */
interface GoogleName {
  readonly collection: string;
  readonly name: string;
}

/** Puts a model where the body names it. */
export function putBodyModel({ body, path }: ModelRequest, model: string): ModelRequest | undefined {
  const changed = replaceMember(body, 'model', model);
  return changed === undefined ? undefined : { body: changed, path };
}

/**
 * Puts a model in a request of an OpenAI-shaped API: in the body, or where the URL names an Azure deployment, there, for
 * it is what answers; the body then says the same if it says anything.
 *
 * Source: https://learn.microsoft.com/azure/ai-foundry/openai/reference (read 2026-11-26).
 *
 * ```ts
 * const request = { path: '/openai/deployments/big/chat/completions?api-version=v', body: Buffer.from('{"n":1}') };
 * putOpenaiModel(request, 'small')?.path;   // '/openai/deployments/small/chat/completions?api-version=v'
 * ```
 */
export function putOpenaiModel(request: ModelRequest, model: string): ModelRequest | undefined {
  const found = findNamed(request.path, 'deployments');
  if (found === undefined) return putBodyModel(request, model);
  const segment = encodeSegment(model);
  if (segment === undefined) return undefined;
  return { body: replaceText(request.body, () => model), path: found.replace('deployments', segment) };
}

/**
 * Puts a model in a Google request: in the URL, which decides, and wherever the body says it again, as `embedContent` and
 * each request of `batchEmbedContents` must; where the URL names none (Code Assist), in the body alone. The body's
 * `models/` in front stays or stays away as the client had it.
 *
 * Source: https://ai.google.dev/api/embeddings (read 2026-11-26).
 */
export function putGoogleModel(request: ModelRequest, model: string): ModelRequest | undefined {
  const found = findNamed(request.path, 'models') ?? findNamed(request.path, 'tunedModels');
  const to = readGoogleName(model);
  const say = (said: string): string =>
    said.includes('/') || to.collection !== 'models' ? `${to.collection}/${to.name}` : to.name;
  const segment = encodeSegment(to.name);
  if (segment === undefined) return undefined;
  const body = replaceInRequests(replaceText(request.body, say), say);
  if (found === undefined) return body === request.body ? undefined : { body, path: request.path };
  const method = /(?::|%3a)(?!.*(?::|%3a)).*$/i.exec(found.segment)?.[0] ?? '';
  return { body, path: found.replace(to.collection, `${segment}${method}`) };
}

/**
 * Puts a model in a request of Bedrock's runtime: in the URL, percent-encoded, for it may be an ARN with slashes. A request
 * signed by SigV4 would be refused after that, and is not routed (`call/call-routing.ts`); one with an API key goes.
 */
export function putBedrockModel({ body, path }: ModelRequest, model: string): ModelRequest | undefined {
  const found = findNamed(path, 'model');
  const isName = model.split('/').every((part) => encodeSegment(part) !== undefined);
  const segment = isName ? encodeURIComponent(model) : undefined;
  return found === undefined || segment === undefined ? undefined : { body, path: found.replace('model', segment) };
}

function readGoogleName(model: string): GoogleName {
  const tuned = 'tunedModels/';
  if (model.startsWith(tuned)) return { collection: 'tunedModels', name: model.slice(tuned.length) };
  return { collection: 'models', name: model.replace(/^models\//, '') };
}

/** The segment that follows one of this name, as it stands in the path, and the path with both replaced. */
function findNamed(path: string, name: string) {
  const [bare = ''] = path.split(/[?#]/, 1);
  const raw = bare.split('/');
  const at = readSegments(path).indexOf(name) + 1;
  const segment = raw[at + 1];
  if (at === 0 || segment === undefined || segment === '') return undefined;
  return {
    segment,
    replace: (named: string, by: string): string => {
      const kept = named === name ? raw[at] : named;
      return [...raw.slice(0, at), kept, by, ...raw.slice(at + 2)].join('/') + path.slice(bare.length);
    },
  };
}

/** A name as one segment of a path; `undefined` for one that servers would take for something else. */
function encodeSegment(name: string): string | undefined {
  if (name === '' || name === '.' || name === '..' || /[/\\\p{Cc}]/u.test(name)) return undefined;
  try {
    return encodeURIComponent(name);
  } catch {
    return undefined; // half a character
  }
}

/** The body with another text for `model` where that is one; the same buffer where there is none. */
function replaceText(body: Buffer, change: (said: string) => string): Buffer {
  const member = findMembers(body, ['model'])?.at(-1);
  if (member === undefined) return body;
  const said = readText(body.toString('utf8', member.valueStart, member.valueEnd));
  return said === undefined ? body : (replaceMember(body, 'model', change(said)) ?? body);
}

function readText(json: string): string | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined; // the provider is left to refuse it
  }
}

/** The same in every object of the list `requests`. */
function replaceInRequests(body: Buffer, change: (said: string) => string): Buffer {
  const member = findMembers(body, ['requests'])?.at(-1);
  if (member === undefined) return body;
  const list = body.subarray(member.valueStart, member.valueEnd);
  const splices = (findElements(list) ?? []).map(({ start, end }) => ({
    start: member.valueStart + start,
    end: member.valueStart + end,
    text: replaceText(list.subarray(start, end), change),
  }));
  return splices.length === 0 ? body : spliceBytes(body, splices);
}
