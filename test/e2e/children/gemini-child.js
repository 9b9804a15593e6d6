/** Calls generateContent by the official package, streamed and not, and prints all it gets. */
import { GoogleGenAI } from '@google/genai';
import { say, weather } from './say.js';

const { models } = new GoogleGenAI({ apiKey: process.env.GEMINI_API_KEY });
const model = 'gemini-2.5-flash';
const config = { systemInstruction: 'You are a guide. Answer in one sentence.' };
const contents = 'What should I see first in Lisbon?';
const { name, description, schema } = weather;
const tools = [{ functionDeclarations: [{ name, description, parametersJsonSchema: schema }] }];

async function sayStream(title, pending) {
  for await (const chunk of await pending) say(title, chunk);
}

say('content', await models.generateContent({ model, contents, config }));
await sayStream('content stream', models.generateContentStream({ model, contents, config }));
say('tool', await models.generateContent({ model, contents, config: { ...config, tools } }));
await sayStream('tool stream', models.generateContentStream({ model, contents, config: { ...config, tools } }));

const error = await models.generateContent({ model: 'fail-429', contents }).catch((reason) => reason);
say('fail-429', { status: error.status });
