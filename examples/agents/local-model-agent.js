/**
 * An agent on a model of one's own machine, as ollama, vLLM and LM Studio serve them: plain HTTP, OpenAI's dialect.
 *
 *   node examples/agents/local-model-agent.js http://localhost:11434/v1 [MODEL]
 */
import OpenAI from 'openai';

const [baseURL = 'http://localhost:11434/v1', model = 'llama3.2'] = process.argv.slice(2);
// A local server asks for no key, but the package does.
const local = new OpenAI({ baseURL, apiKey: 'none' });
const messages = [{ role: 'user', content: 'Say something about running at home.' }];

const plain = await local.chat.completions.create({ model, messages });
console.log(`plain:    ${plain.choices[0]?.message.content}`);

const stream = await local.chat.completions.create({ model, messages, stream: true });
process.stdout.write('streamed: ');
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? '');
process.stdout.write('\n');
