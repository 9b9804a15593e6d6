import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ExampleProvider, openExampleProvider } from '../../examples/provider/provider.js';
import { launch, launchAny, launcher, openFolder, readJsonLines, waitForEnd } from './launch.js';

let folder: ReturnType<typeof openFolder>;
let provider: ExampleProvider;
beforeAll(async () => {
  folder = openFolder();
  provider = await openExampleProvider();
});
afterAll(async () => {
  await provider.close();
  folder.close();
});

/** Runs lines in a shell that knows `llmtap`. */
function runShell(lines: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const llmtap = `llmtap() { '${process.execPath}' '${launcher}' "$@"; }`;
  return launchAny(['bash', '-c', [llmtap, ...lines].join('\n')], { home: folder.path, env });
}

const printServer = `'${process.execPath}' -p 'JSON.parse(Buffer.from(process.env.LLMTAP_ENV_RESTORE, "base64")).pid'`;

describe('a shell that evaluated llmtap env', () => {
  it('has its programs seen, until it undoes it', async () => {
    const body = '{"model":"model-a","messages":[{"role":"user","content":"hello"}]}';
    const { stdout, stderr } = await runShell(
      [
        `eval "$(llmtap env --run-id shell --provider local=${provider.url})"`,
        printServer,
        `curl -sS -o /dev/null -H 'content-type: application/json' -d '${body}' ${provider.url}/v1/chat/completions`,
        'eval "$(llmtap env --unset)"',
        'for name in HTTPS_PROXY http_proxy NODE_OPTIONS LLMTAP_ENV_RESTORE; do printenv $name || echo none; done',
      ],
      { HTTPS_PROXY: '', NODE_OPTIONS: '--no-deprecation' },
    );
    const [server, ...restored] = stdout.trimEnd().split('\n');
    expect(stderr).toMatch(/^llmtap: session sess_[0-9a-f]{12}, run shell;/);
    expect(restored).toEqual(['', 'none', '--no-deprecation', 'none']);
    await waitForEnd(Number(server));
    expect(existsSync(join(folder.path, 'sessions', /sess_\w+/.exec(stderr)?.[0] ?? ''))).toBe(false);
    const calls = await launch(['calls', '--run', 'shell', '--json'], { home: folder.path });
    expect(readJsonLines(calls.stdout)).toEqual([expect.objectContaining({ model: 'model-a', outcome: 'ok' })]);
  });

  it('takes its tap with it when it ends', async () => {
    const { stdout } = await runShell(['eval "$(llmtap env)"', printServer]);
    await waitForEnd(Number(stdout));
  });

  it('is told so when it does it twice', async () => {
    const { stdout, stderr } = await runShell([
      'eval "$(llmtap env)"',
      'llmtap env; echo "status $?"',
      'eval "$(llmtap env --unset)"',
    ]);
    expect(stdout).toBe('status 2\n');
    expect(stderr).toContain('llmtap: This shell is under a tap of llmtap env already.');
    expect(stderr).toContain('hint: Leave it first: eval "$(llmtap env --unset)"');
  });
});

it.each(['sh', 'zsh'])('takes %s for one of the family of bash', async (shell) => {
  const { status, stderr } = await launch(['env', '--shell', shell, '--unset'], { home: folder.path });
  expect(status).toBe(2);
  expect(stderr).toContain('hint: Begin one: eval "$(llmtap env)"');
});

it('prints nothing to evaluate when the tap cannot be opened', async () => {
  const { status, stdout, stderr } = await launch(['env', '--connect-to', 'nonsense'], { home: folder.path });
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain('"nonsense"');
});
