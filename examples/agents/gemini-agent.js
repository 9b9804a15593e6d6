/**
 * An agent on Gemini: asks, listens to a stream, and lets the model call a tool.
 *
 *   GEMINI_API_KEY=… node examples/agents/gemini-agent.js [CITY]
 */
import { GoogleGenAI } from '@google/genai';

const city = process.argv[2] ?? 'Lisbon';
const model = process.env.GEMINI_MODEL ?? 'gemini-2.5-flash';
const { models } = new GoogleGenAI({ apiKey: process.env.GEMINI_API_KEY });
const systemInstruction = 'You are a guide. Answer in one sentence.';

const plain = await models.generateContent({
  model,
  contents: `What should I see first in ${city}?`,
  config: { systemInstruction },
});
console.log(`plain:    ${plain.text}`);

const stream = await models.generateContentStream({
  model,
  contents: `Tell me a short story about ${city}.`,
  config: { systemInstruction },
});
process.stdout.write('streamed: ');
for await (const chunk of stream) process.stdout.write(chunk.text ?? '');
process.stdout.write('\n');

const tools = [
  {
    functionDeclarations: [
      {
        name: 'get_weather',
        description: 'The weather in a city, now.',
        parametersJsonSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
      },
    ],
  },
];
const contents = [{ role: 'user', parts: [{ text: `What is the weather in ${city}?` }] }];
const config = { systemInstruction, tools };
const asked = await models.generateContent({ model, contents, config });
const results = (asked.functionCalls ?? []).map(({ name, args }) => {
  const wanted = String(args?.city);
  console.log(`tool:     ${name}(${wanted})`);
  return { functionResponse: { name, response: { output: `${wanted}: sunny, 21 degrees.` } } };
});
contents.push({ role: 'model', parts: asked.candidates?.[0]?.content?.parts ?? [] }, { role: 'user', parts: results });
const answered = await models.generateContent({ model, contents, config });
console.log(`answered: ${answered.text}`);
