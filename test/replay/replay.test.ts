import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { OpenSession } from '../../src/core/host.js';
import { answerWith } from '../cache/cache-rig.js';
import { openTunnel } from '../fixtures/proxy-client.js';
import { chatFrames, chatFramesWithUsage, chatReply, chatRequest, chatStreamRequest } from '../fixtures/replies.js';
import { dial, readAll } from '../fixtures/tcp.js';
import { openUpstream } from '../fixtures/upstream.js';
import { json, openReplayRig } from './replay-rig.js';

const sse = { 'content-type': 'text/event-stream' };

describe('a recorded run', () => {
  it('is played again without its provider', async () => {
    const rig = await openReplayRig();
    rig.upstream.handler = answerWith(chatReply);
    await rig.record((session) => rig.call(session));
    await rig.upstream.close();
    const reply = await rig.call(await rig.replay());
    expect([reply.status, reply.body.toString()]).toEqual([200, chatReply]);
    const [recorded, played] = await rig.waitForRecords(2);
    expect(played).toMatchObject({ cached: true, cachedLatencyMs: recorded?.latencyMs, usage: recorded?.usage });
    expect(played?.changes).toEqual([
      `reply: from the recording, kept from call ${recorded?.callId}, answer 1 to this request`,
    ]);
  });

  it('gives the same request its answers in their order, and refuses it once more', async () => {
    const rig = await openReplayRig();
    let answers = 0;
    rig.upstream.handler = (request, response) =>
      answerWith(chatReply.replace('chatcmpl-1', `chatcmpl-${++answers}`))(request, response);
    await rig.record(async (session) => {
      await rig.call(session);
      await rig.call(session);
    });
    const session = await rig.replay();
    const bodies = [await rig.call(session), await rig.call(session)].map(({ body }) => body.toString());
    expect(bodies[0]).not.toBe(bodies[1]);
    const third = await rig.call(session);
    expect(third.status).toBe(412);
    expect(third.body.toString()).toContain('asked once more than recorded (2 times)');
    expect(answers).toBe(2);
  });

  it('answers equal calls made at once each with its own', async () => {
    const rig = await openReplayRig();
    let answers = 0;
    rig.upstream.handler = (request, response) => answerWith(JSON.stringify({ n: ++answers }))(request, response);
    await rig.record((session) => Promise.all([1, 2, 3, 4].map(() => rig.call(session))));
    const session = await rig.replay();
    const replies = await Promise.all([1, 2, 3, 4].map(() => rig.call(session)));
    expect(replies.map(({ body }) => body.toString()).sort()).toEqual([1, 2, 3, 4].map((n) => JSON.stringify({ n })));
  });

  it('plays a stream piece by piece as it came, byte for byte', async () => {
    const rig = await openReplayRig();
    rig.upstream.handler = (request, response) => {
      request.resume().on('end', async () => {
        response.writeHead(200, sse);
        for (const frame of chatFramesWithUsage)
          await new Promise<void>((resolve) => response.write(frame, () => setImmediate(resolve)));
        response.end();
      });
    };
    let recorded: Buffer | undefined;
    await rig.record(async (session) => {
      recorded = (await rig.call(session, { body: chatStreamRequest })).body;
    });
    const reply = await rig.call(await rig.replay(), { body: chatStreamRequest });
    expect(reply.body).toEqual(recorded);
    expect(reply.headers['content-type']).toBe('text/event-stream');
    const [first, second] = await rig.waitForRecords(2);
    expect(second).toMatchObject({ usage: first?.usage, stream: true, outcome: 'ok' });
  });

  it('plays a refusal and the answer that followed it', async () => {
    const rig = await openReplayRig();
    let asked = 0;
    rig.upstream.handler = (request, response) =>
      asked++ === 0
        ? answerWith(
            '{"error":{"message":"slow down"}}',
            { ...json, 'retry-after': '60', 'x-should-retry': 'true' },
            429,
          )(request, response)
        : answerWith(chatReply)(request, response);
    await rig.record(async (session) => {
      await rig.call(session);
      await rig.call(session);
    });
    const session = await rig.replay();
    const [first, second] = [await rig.call(session), await rig.call(session)];
    expect([first.status, first.headers['x-should-retry'], first.headers['retry-after']]).toEqual([
      429,
      'true',
      undefined,
    ]);
    expect([second.status, second.body.toString()]).toEqual([200, chatReply]);
  });

  it('cuts where the provider cut', async () => {
    const rig = await openReplayRig();
    rig.upstream.handler = (request, response) => {
      request.resume().on('end', () => {
        response.writeHead(200, sse);
        response.write(chatFrames[0], () => setImmediate(() => response.destroy()));
      });
    };
    await rig.record((session) => rig.call(session, { body: chatStreamRequest }));
    const reply = await rig.call(await rig.replay(), { body: chatStreamRequest });
    expect([reply.complete, reply.body.toString()]).toEqual([false, chatFrames[0]]);
    const [first, second] = await rig.waitForRecords(2);
    expect(second?.outcome).toBe(first?.outcome);
  });

  it('fails a call whose provider could not be reached as it failed then', async () => {
    const rig = await openReplayRig();
    rig.upstream.handler = (request) => void request.socket.destroy();
    await rig.record((session) => rig.call(session));
    const [first] = await rig.waitForRecords(1);
    const reply = await rig.call(await rig.replay());
    const [, second] = await rig.waitForRecords(2);
    expect(reply.status).toBe(502);
    expect(second).toMatchObject({ outcome: 'upstream_error', error: { code: first?.error?.code } });
  });

  it('has replies without their content coding, and requests whatever theirs', async () => {
    const rig = await openReplayRig();
    rig.upstream.handler = answerWith(gzipSync(chatReply), { ...json, 'content-encoding': 'gzip' });
    await rig.record((session) => rig.call(session));
    const reply = await rig.call(await rig.replay(), {
      body: gzipSync(chatRequest),
      headers: { ...json, 'content-encoding': 'gzip' },
    });
    expect([reply.status, reply.body.toString(), reply.headers['content-encoding']]).toEqual([
      200,
      chatReply,
      undefined,
    ]);
  });

  it.each([
    ['says how long its body would be', '1234'],
    ['says nothing of it', undefined],
  ])('answers a HEAD as it was answered, where it %s', async (_, length) => {
    const rig = await openReplayRig();
    rig.upstream.handler = (request, response) =>
      void request
        .resume()
        .on('end', () =>
          response.writeHead(200, { ...json, ...(length !== undefined && { 'content-length': length }) }).end(),
        );
    const asked = { method: 'HEAD', path: '/v1/files/a', body: '' };
    const lengths: unknown[] = [];
    await rig.record(async (session) => lengths.push((await rig.call(session, asked)).headers['content-length']));
    const { status, headers, body } = await rig.call(await rig.replay(), asked);
    lengths.push(headers['content-length']);
    expect([status, body.length, headers['content-type']]).toEqual([200, 0, 'application/json']);
    expect(lengths).toEqual([length, length]);
  });

  it('knows a form again whatever its boundary', async () => {
    const rig = await openReplayRig();
    rig.upstream.handler = answerWith(JSON.stringify({ text: 'Hello' }));
    const ask = (boundary: string) => ({
      path: '/v1/audio/transcriptions',
      headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
      body: `--${boundary}\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--${boundary}--\r\n`,
    });
    await rig.record((session) => rig.call(session, ask('one-boundary')));
    const session = await rig.replay();
    expect((await rig.call(session, ask('another'))).body.toString()).toBe('{"text":"Hello"}');
  });

  it('sets aside what the rules say changes from run to run', async () => {
    const rig = await openReplayRig();
    rig.upstream.handler = answerWith(chatReply);
    const say = (text: string) => ({
      body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: text }] }),
    });
    await rig.record(
      (session) =>
        rig.call(
          session,
          say('Today is 2026-11-27, run 5f0c1f0e-8c0e-4b5e-9d43-0b7d3c9b6c11, in /tmp/a1b2/x, build #17'),
        ),
      {
        normalise: {
          volatile: ['dates', 'uuids', 'temp-paths'],
          rules: [{ pattern: 'build #\\d+', replace: 'build' }],
        },
      },
    );
    const session = await rig.replay();
    const reply = await rig.call(
      session,
      say('Today is 2027-01-02, run 11111111-8c0e-4b5e-9d43-0b7d3c9b6c11, in /tmp/zz/x, build #18'),
    );
    expect(reply.status).toBe(200);
    const strict = await rig.replay({ normalise: {} });
    expect((await rig.call(strict, say('Today is 2027-01-02'))).status).toBe(412);
  });
});

describe('a replay', () => {
  it('answers what was not recorded by an error of its API, tells the nearest call, and sends nothing', async () => {
    const rig = await openReplayRig();
    rig.upstream.handler = answerWith(chatReply);
    await rig.record((session) => rig.call(session));
    const seen = rig.upstream.seen.length;
    const session = await rig.replay();
    const reply = await rig.call(session, { body: chatRequest.replace('"Hi"', '"Ho"') });
    expect(reply.status).toBe(412);
    expect(JSON.parse(reply.body.toString())).toMatchObject({ error: { type: 'invalid_request_error' } });
    const [fault] = await rig.waitForFaults(1);
    expect(fault).toMatchObject({ code: 'REPLAY_MISSED', sessionId: session.session.sessionId });
    expect(fault?.message).toContain(
      'the nearest recorded call is number 1, and body.messages[0].content is "Ho", and "Hi" in the recording',
    );
    expect(rig.upstream.seen).toHaveLength(seen);
  });

  it('lets nothing else out either', async () => {
    const rig = await openReplayRig();
    rig.upstream.handler = answerWith(chatReply);
    await rig.record((session) => rig.call(session));
    const [session, seen, connections] = [await rig.replay(), rig.upstream.seen.length, rig.upstream.connections];
    const models = await rig.call(session, { method: 'GET', path: '/v1/models', body: '' });
    expect([models.status, models.body.toString()]).toEqual([
      412,
      expect.stringContaining('GET api.openai.com/v1/models is not in the recording'),
    ]);
    const tunnel = await openTunnel(session.port, 'example.com:443');
    tunnel.socket.destroy();
    expect(tunnel.status).toBe(412);
    (await openTunnel(session.port, 'example.org:443')).socket.destroy();
    expect([rig.upstream.seen.length, rig.upstream.connections]).toEqual([seen, connections]);
    const faults = await rig.waitForFaults(2);
    expect(faults.map(({ code }) => code)).toEqual(['REPLAY_MISSED', 'REPLAY_REFUSED']);
    expect(faults[1]?.message).toContain('example.com:443 was refused');
  });

  it('takes what is asked of another over plain HTTP as what is asked of one over TLS: neither recorded nor let out', async () => {
    const rig = await openReplayRig();
    const other = await openUpstream({ plain: true });
    onTestFinished(() => other.close());
    const ask = async ({ port }: OpenSession): Promise<string> => {
      const client = await dial(port);
      client.write(
        `GET http://localhost:${other.port}/robots.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      );
      return (await readAll(client)).toString();
    };
    rig.upstream.handler = answerWith(chatReply);
    await rig.record(async (session) => {
      await rig.call(session);
      expect(await ask(session)).toMatch(/^HTTP\/1.1 200 /);
    });
    expect(rig.readCassette()).not.toContain('robots');
    expect(await ask(await rig.replay())).toMatch(/^HTTP\/1.1 412 .*nothing goes out in a replay/s);
    expect(other.seen).toHaveLength(1);
    expect((await rig.waitForFaults(1)).map(({ code }) => code)).toEqual(['REPLAY_REFUSED']);
    expect(await ask(await rig.replay({ mode: 'replay-or-live' }))).toMatch(/^HTTP\/1.1 200 /);
  });

  it('asks the provider for what it does not have where it is told to', async () => {
    const rig = await openReplayRig();
    rig.upstream.handler = answerWith(chatReply);
    await rig.record((session) => rig.call(session));
    const session = await rig.replay({ mode: 'replay-or-live' });
    await rig.call(session);
    expect(rig.upstream.seen).toHaveLength(1);
    const live = await rig.call(session, { body: chatRequest.replace('"Hi"', '"Ho"') });
    expect([live.status, rig.upstream.seen.length]).toEqual([200, 2]);
    expect((await rig.waitForRecords(3)).map(({ cached }) => cached)).toEqual([false, true, false]);
  });

  it('is of the recording before, where nothing was asked when it was made again', async () => {
    const rig = await openReplayRig();
    rig.upstream.handler = answerWith(chatReply);
    await rig.record((session) => rig.call(session));
    const before = rig.readCassette();
    await rig.record(async () => undefined);
    expect(rig.readCassette()).toBe(before);
    const [fault] = await rig.waitForFaults(1);
    expect(fault).toMatchObject({ code: 'CASSETTE_INCOMPLETE', message: expect.stringContaining('left as it was') });
  });

  it('needs a recording, and one that can be read', async () => {
    const rig = await openReplayRig();
    await expect(rig.replay()).rejects.toMatchObject({ code: 'CASSETTE_NOT_FOUND' });
    await expect(rig.replay({ path: import.meta.filename })).rejects.toMatchObject({ code: 'CASSETTE_INVALID' });
    await expect(rig.replay({ mode: 'later' as 'replay' })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(rig.replay({ normalise: { rules: [{ pattern: '(', replace: '' }] } })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    });
  });
});

describe('a recording', () => {
  it('is the user’s own file, and holds no credential', async () => {
    const rig = await openReplayRig();
    const key = `sk-proj-${'Ab3'.repeat(16)}`;
    rig.upstream.handler = answerWith(chatReply.replace('Hello', `your key is ${key}`), { ...json, 'x-echo': key });
    await rig.record((session) =>
      rig.call(session, {
        path: `/v1/chat/completions?key=${key}`,
        headers: { ...json, authorization: `Bearer ${key}` },
        body: chatRequest.replace('"Hi"', JSON.stringify(`I am ${key}`)),
      }),
    );
    const text = rig.readCassette();
    expect(text).not.toContain(key);
    expect(text).not.toContain('Ab3Ab3Ab3');
    expect(statSync(rig.path).mode & 0o777).toBe(0o600);
  });

  it('leaves one of the same name alone that is under way, and removes what a killed program left', async () => {
    const rig = await openReplayRig();
    rig.upstream.handler = answerWith(chatReply);
    const underWay = await rig.openSession({ cassette: { mode: 'record', path: rig.path } });
    await rig.call(underWay);
    const [part = ''] = readdirSync(dirname(rig.path));
    const [, pid, since, place] = /^one\.jsonl\.(\d+)-(\d+)-([0-9a-f]{12})\.[0-9a-f]{8}\.part$/.exec(part) ?? [];
    expect(pid).toBe(String(process.pid));
    const leave = (mark: string): string => {
      const name = `one.jsonl.${mark}.0123abcd.part`;
      writeFileSync(join(dirname(rig.path), name), '{}\n');
      return name;
    };
    // A program of that number that began at another time is another one.
    const [killed, elsewhere] = [leave(`${pid}-${Number(since) + 1}-${place}`), leave(`${pid}-1-0123456789ab`)];
    const another = await rig.openSession({ cassette: { mode: 'record', path: rig.path } });
    await rig.call(another, { body: chatStreamRequest });
    const found = readdirSync(dirname(rig.path));
    expect(found).toEqual(expect.arrayContaining([part, elsewhere]));
    expect(found).not.toContain(killed);
    expect(await rig.waitForFaults(1)).toMatchObject([
      { code: 'CASSETTE_INCOMPLETE', message: expect.stringContaining('ended with a killed program') },
    ]);
    await underWay.close();
    await another.close();
    expect(readdirSync(dirname(rig.path)).sort()).toEqual(['one.jsonl', elsewhere].sort());
  });

  it('takes the place of the one before when its session ends, and not sooner', async () => {
    const rig = await openReplayRig();
    rig.upstream.handler = answerWith(chatReply);
    const session = await rig.openSession({ cassette: { mode: 'record', path: rig.path } });
    await rig.call(session);
    expect(existsSync(rig.path)).toBe(false);
    await session.close();
    expect(rig.readCassette().split('\n')).toHaveLength(3);
  });
});
