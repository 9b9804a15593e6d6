import { describe, expect, it } from 'vitest';
import { redactCommand } from '../../src/call/redaction.js';

describe('redactCommand', () => {
  it('masks values of secret options, credentials of curl, headers and assignments', () => {
    const argv = [
      'curl',
      '--api-key',
      'abc',
      '--token=def',
      '-u',
      'me:pw',
      '-H',
      'X-Api-Key: canary123',
      '--user-agent',
      'x',
    ];
    expect(redactCommand(argv, [])).toEqual([
      ...['curl', '--api-key', '[redacted:argument]', '--token=[redacted:argument]', '-u', '[redacted:argument]'],
      ...['-H', 'X-Api-Key: [redacted:api-key]', '--user-agent', 'x'],
    ]);
    expect(redactCommand(['env', 'MY_SECRET=canary99', 'agent', '--max-tokens', '512'], [])).not.toContain('canary');
    expect(redactCommand(['agent', '--max-tokens', '512'], [])).toEqual(['agent', '--max-tokens', '512']);
  });

  it('masks secrets of the environment wherever they stand', () => {
    expect(redactCommand(['agent', 'say canary-ambient twice'], ['canary-ambient'])).toEqual([
      'agent',
      'say [redacted:secret] twice',
    ]);
  });
});

/** A command line as one string of words, redacted word by word. */
function redactWords(line: string): string {
  return redactCommand(line.split(' '), []).join(' ');
}

const masked = '[redacted:argument]';
const lines: readonly (readonly [string, string])[] = [
  ['env DB_PW=hunter agent', `env DB_PW=${masked} agent`],
  ['env MYSQL_PWD=hunter mysql -uroot', `env MYSQL_PWD=${masked} mysql -uroot`],
  ['env PWD=/srv/app OLDPWD=/srv agent', 'env PWD=/srv/app OLDPWD=/srv agent'],
  ['env AZURE_OPENAI_KEY=abcdefgh agent', `env AZURE_OPENAI_KEY=${masked} agent`],
  ['env SORT_KEY=abcdefgh API_KEY=$OTHER agent', 'env SORT_KEY=abcdefgh API_KEY=$OTHER agent'],
  ['curl -ujoe:hunter2pass99 https://h/x', `curl -u${masked} https://h/x`],
  ['agent --pass hunter --pw=hunter --db-pass hunter', `agent --pass ${masked} --pw=${masked} --db-pass ${masked}`],
  ['agent --api-key -X --verbose', `agent --api-key ${masked} --verbose`],
  ['agent --password --verbose --passthrough x', 'agent --password --verbose --passthrough x'],
  ['mysql -uroot -phunter shop', `mysql -uroot -p${masked} shop`],
  ['/usr/bin/mysqldump -p hunter', `/usr/bin/mysqldump -p ${masked}`],
  ['psql -p 5432 -f ./a.sql', 'psql -p 5432 -f ./a.sql'],
  ['docker run -p 8080:80 -p127.0.0.1:1:1/tcp img', 'docker run -p 8080:80 -p127.0.0.1:1:1/tcp img'],
  ['sshpass -p hunter ssh h', `sshpass -p ${masked} ssh h`],
  ['redis-cli -a hunter ping', `redis-cli -a ${masked} ping`],
  ['claude -p hello --model x', 'claude -p hello --model x'],
];

describe('redactCommand of passwords', () => {
  it.each(lines)('reads %s', (line, kept) => {
    expect(redactWords(line)).toBe(kept);
  });

  it.each(lines)('reads %s as the script of a shell', (line, kept) => {
    expect(redactCommand(['bash', '-c', `cd /x; ${line}`], [])).toEqual(['bash', '-c', `cd /x; ${kept}`]);
    expect(redactCommand(['sh', '-c', `bash -c "${line}"`], [])).toEqual(['sh', '-c', `bash -c "${kept}"`]);
  });

  it('masks quoted values of a script whole', () => {
    const script = `DB_PASS='a b' curl -u "joe:p w" --password "x\\"y z" && echo done`;
    expect(redactCommand(['bash', '-c', script], [])[2]).toBe(
      `DB_PASS=${masked} curl -u ${masked} --password ${masked} && echo done`,
    );
  });

  it('leaves a prompt as it is, with quotes that never close', () => {
    const prompt = `don't use "pass" or -p; it's \\ a token of = thanks (PWD=/x)`;
    expect(redactCommand(['claude', '-p', prompt], [])).toEqual(['claude', '-p', prompt]);
  });

  it.each([`"\\`, `"`, `'`, '\\', `"'`, 'a ', '-p ', 'x='])('is linear in an argument full of %j', (piece) => {
    const argument = `a ${piece.repeat(Math.floor(131_000 / piece.length))}`;
    const before = process.cpuUsage();
    redactCommand(['mysql', argument], []);
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(4000);
  });
});
