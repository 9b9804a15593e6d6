/** One agent: asks a model by an official package, streamed, then starts the agents it is told to; prints what it used. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

const [name, model, ...helpers] = process.argv.slice(2);
const messages = [{ role: 'user', content: `I am ${name}.` }];

async function askOpenai() {
  const client = new OpenAI({ apiKey: 'sk-of-a-test', maxRetries: 0 });
  const stream = await client.chat.completions.create({
    ...{ model, messages, stream: true },
    stream_options: { include_usage: true },
  });
  let used = null;
  for await (const { usage } of stream) used = usage ?? used;
  return [used.prompt_tokens, used.completion_tokens];
}

async function askAnthropic() {
  const client = new Anthropic({ apiKey: 'sk-ant-of-a-test', maxRetries: 0 });
  const { usage } = await client.messages.stream({ model, max_tokens: 100, messages }).finalMessage();
  return [usage.input_tokens, usage.output_tokens];
}

const used = await (model.startsWith('claude') ? askAnthropic() : askOpenai());
console.log(JSON.stringify({ name, used }));
for (const helper of helpers) {
  const { stdout, status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), ...helper.split(':')]);
  process.stdout.write(stdout);
  process.exitCode ||= status;
}
