/**
 * Calls a model over and over and prints the id of each call when it has its whole answer, in one line; `chunk` when a
 * stream has given its second piece. Ends with the first call that fails.
 *
 *   node worker-child.js URL ROUNDS [TOGETHER]
 */
const [base = '', rounds = '20', together = '1'] = process.argv.slice(2);
const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-example' };

async function ask(number) {
  const stream = number % 2 === 1;
  const body = JSON.stringify({ model: 'words-20', stream, messages: [{ role: 'user', content: `Call ${number}.` }] });
  const reply = await fetch(`${base}/v1/chat/completions`, { method: 'POST', headers, body });
  if (reply.status !== 200) throw new Error(`status ${reply.status}`);
  let text = '';
  let pieces = 0;
  const decoder = new TextDecoder();
  for await (const piece of reply.body) {
    text += decoder.decode(piece, { stream: true });
    pieces += 1;
    if (stream && pieces === 2) console.log('chunk');
  }
  if (stream && !text.includes('[DONE]')) throw new Error('cut');
  console.log(`finished ${/"id": ?"([^"]+)"/u.exec(text)?.[1]}`);
}

console.log('started');
try {
  let next = 0;
  const work = async () => {
    while (next < Number(rounds)) {
      next += 1;
      await ask(next - 1);
    }
  };
  await Promise.all(Array.from({ length: Number(together) }, work));
  console.log('done');
} catch (error) {
  console.log(`ended ${error.message}`);
  process.exit(9);
}
