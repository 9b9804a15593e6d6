import type { JsonValue } from '../../core/call-record.js';

type Attributes = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** Where dialects keep what was asked besides the words: at the top, Gemini's, Bedrock Converse's, ollama's. */
const places = [[], ['generationConfig'], ['request', 'generationConfig'], ['inferenceConfig'], ['options']] as const;

const numbers: Readonly<Record<string, readonly string[]>> = {
  'gen_ai.request.temperature': ['temperature'],
  'gen_ai.request.top_p': ['top_p', 'topP'],
  'gen_ai.request.top_k': ['top_k', 'topK'],
  'gen_ai.request.max_tokens': [
    'max_tokens',
    'max_completion_tokens',
    'max_output_tokens',
    'maxOutputTokens',
    'maxTokens',
    'num_predict',
  ],
  'gen_ai.request.frequency_penalty': ['frequency_penalty', 'frequencyPenalty'],
  'gen_ai.request.presence_penalty': ['presence_penalty', 'presencePenalty'],
  'gen_ai.request.seed': ['seed'],
  'gen_ai.request.choice.count': ['n', 'candidateCount'],
};
const stops = ['stop', 'stop_sequences', 'stopSequences'];

/** The settings of a request, as attributes; nothing of what was said. */
export function readRequestParameters(body: JsonValue): Attributes {
  const found: Record<string, string | number | boolean | readonly string[]> = {};
  for (const place of places) {
    const settings = descend(body, place);
    if (settings === null) continue;
    for (const [attribute, names] of Object.entries(numbers)) {
      const value = names.map((name) => settings[name]).find((one) => typeof one === 'number');
      if (typeof value === 'number') found[attribute] = value;
    }
    const stop = stops.map((name) => settings[name]).find((one) => one !== undefined && one !== null);
    const list = typeof stop === 'string' ? [stop] : stop;
    if (Array.isArray(list) && list.every((one) => typeof one === 'string')) {
      found['gen_ai.request.stop_sequences'] = list as readonly string[];
    }
  }
  return found;
}

function descend(body: JsonValue, names: readonly string[]): Readonly<Record<string, JsonValue>> | null {
  let at: JsonValue | undefined = body;
  for (const name of names) at = isObject(at) ? at[name] : undefined;
  return isObject(at) ? at : null;
}

function isObject(value: JsonValue | undefined): value is Readonly<Record<string, JsonValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
