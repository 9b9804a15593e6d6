#!/usr/bin/env node
/**
 * Runs the example provider until Ctrl-C.
 *
 *   node examples/provider/main.js [--port 8443] [--host 127.0.0.1] [--plain] [--pause 20] [--compress]
 *
 * Prints its address and the file with its root certificate, then one line for each request it served.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openExampleProvider } from './provider.js';

const help = `Usage: node examples/provider/main.js [options]

A model provider for your own machine: OpenAI, Anthropic, Gemini, Bedrock and Vertex AI dialects.

  --port N      port to listen on (default: a free one)
  --host ADDR   address to listen on (default: 127.0.0.1)
  --plain       plain HTTP and no keys, as local models speak
  --pause MS    pause between the frames of a stream (default: 0)
  --compress    compress replies as the client allows
  --help        print this text
`;

/** A whole number of at least 0, or a sentence and exit status 2. */
function readNumber(flag, value) {
  if (/^\d{1,6}$/u.test(value)) return Number(value);
  return refuse(`The value "${value}" of ${flag} is no whole number. Write it in digits, as in ${flag} 20.`);
}

/**
 * @param {string} sentence
 * @returns {never}
 */
function refuse(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(2);
}

function readFlags() {
  try {
    return parseArgs({
      options: {
        port: { type: 'string', default: '0' },
        host: { type: 'string', default: '127.0.0.1' },
        pause: { type: 'string', default: '0' },
        plain: { type: 'boolean', default: false },
        compress: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return refuse(`${error.message.replace(/\.?$/u, '.')} Run it with --help to see what it takes.`);
  }
}

/** The certificates need the built project: they are made by the code that makes llmtap's own. */
async function makeCertificates(folder) {
  try {
    const { makeExampleCertificates } = await import('./certificates.js');
    return await makeExampleCertificates(folder);
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    return refuse('The project is not built yet. Run `npm run build` first, or give --plain.');
  }
}

async function main() {
  const flags = readFlags();
  if (flags.help) return void process.stdout.write(help);
  const port = readNumber('--port', flags.port);
  const pauseMs = readNumber('--pause', flags.pause);
  const folder = flags.plain ? null : await mkdtemp(join(tmpdir(), 'llmtap-provider-'));
  const certificates = folder === null ? undefined : await makeCertificates(folder);
  const provider = await openExampleProvider({
    port,
    pauseMs,
    host: flags.host,
    compress: flags.compress,
    ...(certificates === undefined ? {} : { tls: certificates }),
    onServed: ({ method, path, status, bill }) => {
      const billed = bill === null ? '' : `, ${bill.inputTokens ?? 0} tokens in, ${bill.outputTokens ?? 0} out`;
      process.stdout.write(`${method} ${path.split('?')[0]} ${status}${billed}\n`);
    },
  });
  process.stdout.write(`Listening on ${provider.url}\n`);
  if (certificates !== undefined) process.stdout.write(`Root certificate: ${certificates.caPath}\n`);
  const stop = async () => {
    await provider.close();
    if (folder !== null) await rm(folder, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, stop);
}

await main();
