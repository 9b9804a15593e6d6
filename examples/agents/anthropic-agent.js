/**
 * An agent on Anthropic: asks, listens to a stream, and lets the model call a tool. Its system prompt is cached.
 *
 *   ANTHROPIC_API_KEY=… node examples/agents/anthropic-agent.js [CITY]
 */
import Anthropic from '@anthropic-ai/sdk';

const city = process.argv[2] ?? 'Lisbon';
const anthropic = new Anthropic();
const system = [
  { type: 'text', text: 'You are a guide. Answer in one sentence.', cache_control: { type: 'ephemeral' } },
];
const common = { model: process.env.ANTHROPIC_MODEL ?? 'claude-haiku-4-5', max_tokens: 300, system };

const plain = await anthropic.messages.create({
  ...common,
  messages: [{ role: 'user', content: `What should I see first in ${city}?` }],
});
console.log(`plain:    ${readText(plain)}`);

const stream = anthropic.messages.stream({
  ...common,
  messages: [{ role: 'user', content: `Tell me a short story about ${city}.` }],
});
process.stdout.write('streamed: ');
stream.on('text', (text) => process.stdout.write(text));
await stream.finalMessage();
process.stdout.write('\n');

const tools = [
  {
    name: 'get_weather',
    description: 'The weather in a city, now.',
    input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
];
const messages = [{ role: 'user', content: `What is the weather in ${city}?` }];
const asked = await anthropic.messages.create({ ...common, messages, tools });
const results = asked.content
  .filter((block) => block.type === 'tool_use')
  .map(({ id, name, input }) => {
    console.log(`tool:     ${name}(${input.city})`);
    return { type: 'tool_result', tool_use_id: id, content: `${input.city}: sunny, 21 degrees.` };
  });
messages.push({ role: 'assistant', content: asked.content }, { role: 'user', content: results });
const answered = await anthropic.messages.create({ ...common, messages, tools });
console.log(`answered: ${readText(answered)}`);

function readText(message) {
  return message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
}
