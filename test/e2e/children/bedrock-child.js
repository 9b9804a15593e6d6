/** Calls Bedrock by AWS's own package over HTTP/1.1, each operation streamed and not, and prints all it gets. */
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { say, weather } from './say.js';

const client = new BedrockRuntimeClient({
  region: 'us-east-1',
  credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
  requestHandler: new NodeHttpHandler(),
  maxAttempts: 1,
});
const modelId = 'us.anthropic.claude-haiku-4-5-20251001-v1:0';
const profile = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3';
const system = [{ text: 'You are a guide. Answer in one sentence.' }, { cachePoint: { type: 'default' } }];
const first = { role: 'user', content: [{ text: 'What should I see first in Lisbon?' }] };
const common = { modelId, system, messages: [first], inferenceConfig: { maxTokens: 300 } };
const toolConfig = {
  tools: [
    { toolSpec: { name: weather.name, description: weather.description, inputSchema: { json: weather.schema } } },
  ],
};

/** What of a reply is the same whenever it is asked for. */
const pick = ({ $metadata: { httpStatusCode }, ...rest }) => ({ httpStatusCode, ...rest });
const hide = (value) => JSON.parse(JSON.stringify(value, (key, member) => (key === 'toolUseId' ? undefined : member)));

async function sayConverse(title, input) {
  say(title, hide(pick(await client.send(new ConverseCommand(input)))));
  const { stream } = await client.send(new ConverseStreamCommand(input));
  for await (const event of stream) say(`${title} stream`, hide(event));
}

async function sayInvoke(title, model, request) {
  const input = { modelId: model, contentType: 'application/json', body: JSON.stringify(request) };
  const reply = await client.send(new InvokeModelCommand(input));
  say(title, JSON.parse(Buffer.from(reply.body).toString('utf8')));
  const { body } = await client.send(new InvokeModelWithResponseStreamCommand(input));
  for await (const { chunk } of body) say(`${title} stream`, JSON.parse(Buffer.from(chunk.bytes).toString('utf8')));
}

await sayConverse('converse', common);
const messages = [first, { role: 'assistant', content: [{ text: 'The castle.' }] }, first];
await sayConverse('second turn', { ...common, modelId: profile, messages });
await sayConverse('tool', { ...common, toolConfig });
const claude = { anthropic_version: 'bedrock-2023-05-31', max_tokens: 300, system: 'Be short.' };
await sayInvoke('claude', modelId, {
  ...claude,
  messages: [{ role: 'user', content: 'What should I see in Lisbon?' }],
});
await sayInvoke('llama', 'us.meta.llama3-3-70b-instruct-v1:0', { prompt: 'What should I see?', max_gen_len: 300 });
await sayInvoke('mistral', 'mistral.mistral-7b-instruct-v0:2', { prompt: 'What should I see?', max_tokens: 300 });

for (const failing of ['fail-429', 'fail-400']) {
  const error = await client.send(new ConverseCommand({ ...common, modelId: failing })).catch((reason) => reason);
  say(failing, { name: error.name, message: error.message });
}
const { stream } = await client.send(new ConverseStreamCommand({ ...common, modelId: 'break-3' }));
try {
  for await (const event of stream) say('break-3', event);
} catch (error) {
  say('break-3', { name: error.name });
}
// NOTE: the package stops reading at an exception; what it had not read by then would keep the process alive.
client.destroy();
