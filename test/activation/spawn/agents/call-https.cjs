// Asks a model once over node:https, as a process or as a Worker, and tells what it said.
const https = require('node:https');
const { parentPort } = require('node:worker_threads');

const tell = (text) => (parentPort === null ? process.stdout.write(text) : parentPort.postMessage(text));

https
  .request('https://api.openai.com/v1/chat/completions', { method: 'POST', agent: false }, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (piece) => {
      text += piece;
    });
    response.on('end', () => tell(JSON.parse(text).choices[0].message.content));
  })
  .on('error', (error) => tell(`failed: ${error.message}`))
  .end(JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }] }));
