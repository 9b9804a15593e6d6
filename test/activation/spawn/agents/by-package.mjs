// Packages that start children.
import spawn from 'cross-spawn';
import { execa, execaSync } from 'execa';

const node = process.execPath;

function collect(child) {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (piece) => {
      text += piece;
    });
    child.once('error', reject);
    child.once('close', () => resolve(text));
  });
}

export const ways = {
  execa: async (script, options) => (await execa(node, [script], options)).stdout,
  'execa sync': async (script, options) => execaSync(node, [script], options).stdout,
  'cross-spawn': (script, options) => collect(spawn(node, [script], options)),
  'cross-spawn sync': async (script, options) => String(spawn.sync(node, [script], options).stdout),
};
