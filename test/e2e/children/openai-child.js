/** Calls every API of the official package that llmtap reads, streamed and not, and prints all it gets. */
import OpenAI from 'openai';
import { say, sayHeaders, weather } from './say.js';

const openai = new OpenAI({ maxRetries: 0 });
const model = 'gpt-4o-mini';
const messages = [
  { role: 'system', content: 'You are a guide. Answer in one sentence.' },
  { role: 'user', content: 'What should I see first in Lisbon?' },
];
const { name, description, schema: parameters } = weather;
const tools = [{ type: 'function', function: { name, description, parameters } }];
const flatTools = [{ type: 'function', name, description, parameters, strict: false }];

async function sayStream(title, pending) {
  const { data, response } = await pending.withResponse();
  sayHeaders(`${title} headers`, response.headers);
  for await (const chunk of data) say(title, chunk);
}

const plain = await openai.chat.completions.create({ model, messages }).withResponse();
sayHeaders('chat headers', plain.response.headers);
say('chat', plain.data);
await sayStream('chat stream', openai.chat.completions.create({ model, messages, stream: true }));
const asked = { model: 'gpt-5', messages, stream: true, stream_options: { include_usage: true } };
await sayStream('chat stream with usage', openai.chat.completions.create(asked));
say('chat tool', await openai.chat.completions.create({ model, messages, tools }));
await sayStream('chat tool stream', openai.chat.completions.create({ model, messages, tools, stream: true }));

const input = 'Tell me a short story about Lisbon.';
say('response', await openai.responses.create({ model: 'gpt-5-mini', instructions: 'Be brief.', input }));
await sayStream('response stream', openai.responses.create({ model, input, stream: true }));
await sayStream('response tool stream', openai.responses.create({ model, input, tools: flatTools, stream: true }));

const prompt = 'Once upon a time in Lisbon';
say('completion', await openai.completions.create({ model, prompt }));
await sayStream('completion stream', openai.completions.create({ model, prompt, stream: true }));
say(
  'embeddings',
  await openai.embeddings.create({ model: 'text-embedding-3-small', input: ['Lisbon', 'Porto bridge'] }),
);
say('models', await openai.models.list());

for (const failing of ['fail-429', 'fail-500', 'fail-400']) {
  const error = await openai.chat.completions.create({ model: failing, messages }).catch((reason) => reason);
  say(failing, { status: error.status, code: error.code, type: error.type, message: error.message });
}
