// Asks a model once over fetch, as a process or as a Worker, and tells what it said.
const { parentPort } = require('node:worker_threads');

const tell = (text) => (parentPort === null ? process.stdout.write(text) : parentPort.postMessage(text));

async function ask() {
  const response = await fetch('https://api.openai.com/v1/chat/completions', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }] }),
  });
  const { choices } = await response.json();
  tell(choices[0].message.content);
}

ask().catch((error) => tell(`failed: ${error.message} ${error.cause?.message}`));
