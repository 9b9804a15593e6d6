// The peer of the bench: mockttp as a recording MITM proxy in a process of its own.
import { generateCACertificate, getLocal } from 'mockttp';

const [upstreamPort] = process.argv.slice(2);
const ca = await generateCACertificate();
const server = getLocal({ https: { cert: ca.cert, key: ca.key }, http2: false });
await server.start();
await server
  .forAnyRequest()
  .always()
  .thenForwardTo(`https://127.0.0.1:${upstreamPort}`, { ignoreHostHttpsErrors: true });
// It reads what passes, as a recorder would.
let seen = 0;
await server.on('response', async (response) => {
  seen += (await response.body.getText())?.length ?? 0;
});

const questions = { cpu: () => process.cpuUsage(), seen: () => seen };
process.on('message', ({ id, question }) => process.send?.({ id, answer: questions[question]() }));
process.on('disconnect', () => process.exit(0));
process.send?.({ port: server.port, ca: ca.cert });
