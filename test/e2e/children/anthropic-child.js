/** Calls the messages API of the official package, streamed and not, and prints all it gets. */
import Anthropic from '@anthropic-ai/sdk';
import { say, sayHeaders, weather } from './say.js';

const anthropic = new Anthropic({ maxRetries: 0 });
const system = [
  { type: 'text', text: 'You are a guide. Answer in one sentence.', cache_control: { type: 'ephemeral' } },
];
const first = { role: 'user', content: 'What should I see first in Lisbon?' };
const common = { model: 'claude-haiku-4-5', max_tokens: 300, system, messages: [first] };
const tools = [{ name: weather.name, description: weather.description, input_schema: weather.schema }];

async function sayStream(title, pending) {
  const { data, response } = await pending.withResponse();
  sayHeaders(`${title} headers`, response.headers);
  for await (const event of data) say(title, event);
}

const plain = await anthropic.messages.create(common).withResponse();
sayHeaders('message headers', plain.response.headers);
say('message', plain.data);
await sayStream('message stream', anthropic.messages.create({ ...common, stream: true }));
const messages = [first, { role: 'assistant', content: plain.data.content }, { role: 'user', content: 'And then?' }];
say('second turn', await anthropic.messages.create({ ...common, messages }));
await sayStream('second turn stream', anthropic.messages.create({ ...common, messages, stream: true }));
say('tool', await anthropic.messages.create({ ...common, tools }));
await sayStream('tool stream', anthropic.messages.create({ ...common, tools, stream: true }));
say('helper', await anthropic.messages.stream(common).finalMessage());
say('count', await anthropic.messages.countTokens({ model: common.model, messages: [first] }));

for (const failing of ['fail-429', 'fail-529']) {
  const error = await anthropic.messages.create({ ...common, model: failing }).catch((reason) => reason);
  say(failing, { status: error.status, type: error.error?.error?.type });
}
