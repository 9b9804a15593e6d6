/**
 * An agent on OpenAI: asks, listens to a stream, and lets the model call a tool.
 *
 *   OPENAI_API_KEY=… node examples/agents/openai-agent.js [CITY]
 */
import OpenAI from 'openai';

const city = process.argv[2] ?? 'Lisbon';
const model = process.env.OPENAI_MODEL ?? 'gpt-4o-mini';
const openai = new OpenAI();
const system = { role: 'system', content: 'You are a guide. Answer in one sentence.' };

const plain = await openai.chat.completions.create({
  model,
  messages: [system, { role: 'user', content: `What should I see first in ${city}?` }],
});
console.log(`plain:    ${plain.choices[0]?.message.content}`);

const stream = await openai.chat.completions.create({
  model,
  stream: true,
  messages: [system, { role: 'user', content: `Tell me a short story about ${city}.` }],
});
process.stdout.write('streamed: ');
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? '');
process.stdout.write('\n');

const tools = [
  {
    type: 'function',
    function: {
      name: 'get_weather',
      description: 'The weather in a city, now.',
      parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    },
  },
];
const messages = [system, { role: 'user', content: `What is the weather in ${city}?` }];
const asked = await openai.chat.completions.create({ model, messages, tools });
const message = asked.choices[0]?.message;
for (const call of message?.tool_calls ?? []) {
  const wanted = JSON.parse(call.function.arguments);
  console.log(`tool:     ${call.function.name}(${wanted.city})`);
  messages.push(message, { role: 'tool', tool_call_id: call.id, content: `${wanted.city}: sunny, 21 degrees.` });
}
const answered = await openai.chat.completions.create({ model, messages, tools });
console.log(`answered: ${answered.choices[0]?.message.content}`);
