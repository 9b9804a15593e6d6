/** Sends planted secrets wherever a secret can stand; says `asked`, and goes on when there is a file GO_ON. */
import { existsSync, watch } from 'node:fs';
import { dirname } from 'node:path';

const planted = JSON.parse(process.env.CANARIES ?? '{}');
const sign = process.env.GO_ON ?? '';
const json = { 'content-type': 'application/json' };

async function post(url, headers, body) {
  const reply = await fetch(url, { method: 'POST', headers: { ...json, ...headers }, body: JSON.stringify(body) });
  await reply.text();
}

const openai = 'https://api.openai.com/v1/chat/completions';
const content = `Use ${planted.requestText}, or TOKEN=${planted.environment}.`;
const tool = { role: 'tool', tool_call_id: 'c', content: JSON.stringify({ api_key: planted.requestMember }) };
const messages = [{ role: 'user', content }, tool];
const cookie = `a=1; session=${planted.cookie}`;
await post(
  openai,
  { authorization: `Bearer ${planted.bearer}`, cookie },
  { model: 'm', messages, api_key: planted.requestMember },
);
await post(
  `${openai}?mode=stream`,
  { authorization: `Bearer ${planted.bearerOpaque}` },
  { model: 'm', stream: true, messages },
);
await post('https://api.anthropic.com/v1/messages', { 'x-api-key': planted.xApiKey }, { model: 'm', messages });
const gemini = 'https://generativelanguage.googleapis.com/v1beta/models/m:generateContent';
const contents = [{ parts: [{ text: content }] }];
await post(`${gemini}?key=${planted.queryKey}`, { 'x-goog-api-key': planted.googApiKey }, { contents });
const failing = { model: 'm', messages: [{ role: 'user', content: planted.bearerOpaque }] };
await post(`${openai}?mode=fail`, { authorization: `Bearer ${planted.bearerOpaque}` }, failing);

if (process.env.CLEAN) {
  // One whose reply has no secret, and may be kept.
  const key = { authorization: `Bearer ${planted.bearer}`, cookie };
  await post(`${openai}?mode=clean&key=${planted.queryKey}`, key, { model: 'm', messages });
}

await new Promise((resolve) => {
  const watcher = watch(dirname(sign), () => check());
  const check = () => {
    if (!existsSync(sign)) return;
    watcher.close();
    resolve(undefined);
  };
  console.log('asked');
  check();
});
