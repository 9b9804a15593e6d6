import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../src/core/call-record.js';
import { unknownUsage } from '../../src/core/usage.js';
import type { Dialect } from '../../src/core/wire.js';
import { CATALOGUE } from '../../src/providers/catalogue.js';
import { openaiChat } from '../../src/providers/openai-chat.js';
import { openDecoder } from '../../src/providers/wire/content-decoding.js';
import { answerCases, errorCases, errorStreamCases, otherFixtures } from './provider-answers.js';
import { listFixtures, readContentType, readFixture, readReply } from './provider-fixtures.js';

const forms = answerCases.flatMap(({ answer, forms: names, dialect, facts, headers = {} }) =>
  names.map((form) => ({ file: `${answer}.${form}`, dialect, facts, headers })),
);
const streams = forms.filter(({ file }) => file.endsWith('.sse'));
/** AWS's binary ones. */
const eventStreams = forms.filter(({ file }) => file.endsWith('.events'));
const lineStreams = forms.filter(({ file }) => file.endsWith('.ndjson'));
const jsonReplies = forms.filter(({ file }) => file.endsWith('.json') && !file.endsWith('.array.json'));
/** The largest fixtures are enough to be cut everywhere; all are fed byte by byte. */
const cutFiles = forms.filter(({ file }) => /\/answer\.(?:sse|ndjson|array\.json|json|events)$/.test(file));
const dialects = [...new Set(CATALOGUE.flatMap(({ apis }) => apis.map(({ dialect }) => dialect)))];

function read(dialect: Dialect, file: string, headers: Readonly<Record<string, string>> = {}) {
  return readReply(dialect, readFixture(file), { contentType: readContentType(file), headers });
}

describe('the fixtures', () => {
  it('are all read by a test', () => {
    const used = [...forms, ...errorCases, ...errorStreamCases].map(({ file }) => file);
    expect(new Set([...used, ...otherFixtures])).toEqual(new Set(listFixtures()));
  });

  it('cover every dialect of the catalogue', () => {
    // A JSON-only method shares the reader of its streaming twin.
    const covered = new Set(answerCases.map(({ dialect }) => dialect));
    expect(dialects.filter((dialect) => !covered.has(dialect))).toEqual([]);
  });
});

describe.each(forms)('$file', ({ file, dialect, facts, headers }) => {
  it('says what the answer says', () => {
    expect(read(dialect, file, headers)).toMatchObject(facts);
  });

  it('says the same byte by byte', () => {
    const whole = read(dialect, file, headers);
    const contentType = readContentType(file);
    const pieces = readReply(dialect, readFixture(file), { contentType, headers, pieceBytes: 1 });
    expect({ ...pieces, firstTokenAtMs: null }).toEqual({ ...whole, firstTokenAtMs: null });
  });

  it.each(['text/plain', 'application/octet-stream', null])(
    'says the same under the content type %s',
    (contentType) => {
      expect(readReply(dialect, readFixture(file), { contentType, headers })).toEqual(read(dialect, file, headers));
    },
  );
});

describe.each(cutFiles)('$file cut in two', ({ file, dialect, headers }) => {
  const bytes = readFixture(file);
  const contentType = readContentType(file);
  const whole = { ...readReply(dialect, bytes, { contentType, headers }), firstTokenAtMs: null };

  it('gives the same facts wherever it is cut', () => {
    for (let cutAt = 0; cutAt <= bytes.length; cutAt++) {
      const facts = { ...readReply(dialect, bytes, { contentType, headers, cutAt }), firstTokenAtMs: null };
      if (JSON.stringify(facts) !== JSON.stringify(whole)) expect({ cutAt, ...facts }).toEqual({ cutAt, ...whole });
    }
  });

  it('never states a running count of output when the rest is missing', () => {
    for (let length = 0; length < bytes.length; length++) {
      const { usage, usageProblem } = readReply(dialect, bytes.subarray(0, length), { contentType, headers });
      const known = usage.inputTokens !== null && usage.outputTokens !== null;
      if (known !== (usageProblem === null)) expect({ length, usage, usageProblem }).toBe('known or explained');
      if (usage.outputTokens !== null && usage.outputTokens !== whole.usage.outputTokens)
        expect({ length, usage }).toEqual({ length, usage: whole.usage });
    }
  });
});

describe.each(cutFiles)('$file compressed', ({ file, dialect, headers }) => {
  const bytes = readFixture(file);
  const contentType = readContentType(file);
  const expected = { ...readReply(dialect, bytes, { contentType, headers }), firstTokenAtMs: null };

  it.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
  ])('says the same in %s, a few bytes at a time', async (coding, compress) => {
    const pieces: Buffer[] = [];
    const decoder = openDecoder(coding, (piece) => pieces.push(piece));
    const packed = compress(bytes);
    for (let at = 0; at < packed.length; at += 5) decoder.write(packed.subarray(at, at + 5));
    await decoder.end();
    const facts = readReply(dialect, Buffer.concat(pieces), { contentType, headers });
    expect({ ...facts, firstTokenAtMs: null }).toEqual(expected);
  });
});

describe.each(streams)('$file with other line ends', ({ file, dialect }) => {
  const text = readFixture(file).toString('utf8').replaceAll('\r\n', '\n');
  const expected = { ...read(dialect, file), firstTokenAtMs: null };
  const readText = (changed: string) => ({
    ...readReply(dialect, Buffer.from(changed), { contentType: 'text/event-stream', pieceBytes: 7 }),
    firstTokenAtMs: null,
  });

  it.each([
    ['CRLF', text.replaceAll('\n', '\r\n')],
    ['CR', text.replaceAll('\n', '\r')],
    ['no space after the colon', text.replaceAll('data: ', 'data:').replaceAll('event: ', 'event:')],
    ['a byte order mark', `\ufeff${text}`],
    ['no blank line at the end', text.trimEnd()],
    ['comments between frames', text.replaceAll('\n\n', '\n\n: ping\n\n')],
    ['malformed frames between', text.replaceAll('\n\n', '\n\ndata: {"cut":\n\ndata: [1]\n\ndata: null\n\n')],
  ])('reads %s', (_, changed) => {
    const { usageProblem, ...facts } = readText(changed);
    // Where nothing is known the reason may be that some frames could not be read.
    if (expected.usage.inputTokens === null) expect({ usageProblem, ...facts }).toEqual({ ...expected, usageProblem });
    else expect({ usageProblem, ...facts }).toEqual(expected);
  });
});

describe.each(lineStreams)('$file with other line ends', ({ file, dialect }) => {
  const text = readFixture(file).toString('utf8');
  const expected = { ...read(dialect, file), firstTokenAtMs: null };

  it.each([
    ['CRLF', text.replaceAll('\n', '\r\n')],
    ['empty lines between', text.replaceAll('\n', '\n\n \n')],
    ['a byte order mark', `\ufeff${text}`],
    ['no line end at the end', text.trimEnd()],
    ['malformed lines between', text.replaceAll('\n', '\n{"cut":\n[1]\nnull\n')],
  ])('reads %s', (_, changed) => {
    const facts = readReply(dialect, Buffer.from(changed), { contentType: readContentType(file), pieceBytes: 7 });
    expect({ ...facts, firstTokenAtMs: null }).toEqual(expected);
  });
});

describe.each(errorCases)('$file', ({ file, dialect, status, code, message, headers = {} }) => {
  it('is read as the error it states, with no usage and the status for a reason', () => {
    const facts = readReply(dialect, readFixture(file), { contentType: readContentType(file), status, headers });
    expect(facts.error).toEqual({ code, message });
    expect(facts.usage).toEqual(unknownUsage);
    expect(facts.usageProblem).toBe(`The provider answered with status ${status}.`);
  });
});

describe.each(errorStreamCases)('$file', ({ file, dialect, code, message }) => {
  it('is read as an error inside a stream, its output unknown', () => {
    const facts = read(dialect, file);
    expect(facts.error).toEqual({ code, message });
    expect(facts.usage.outputTokens).toBeNull();
    expect(facts.usageProblem).toMatch(/^(?:The provider reported the error|The stream ended before its final usage)/);
    expect(facts.complete).toBe(false);
  });
});

describe.each(dialects.map((dialect) => ({ api: dialect.api, dialect })))('a reply to $api', ({ dialect }) => {
  it.each([
    ['nothing', '', 'The reply had no body.'],
    ['white space', ' \r\n\n', 'The reply held nothing but white space (4 bytes).'],
    [
      'HTML',
      '<html><body>Bad gateway</body></html>',
      /^The reply could not be read as JSON \(37 bytes, content type text\/html\): /,
    ],
    ['text', 'upstream connect error', /^The reply could not be read as JSON/],
    ['a JSON string', '"hello"', /^The reply could not be read as JSON/],
    ['an empty array', '[]', /^The reply could not be read as JSON/],
    [
      'JSON without usage',
      '{"id":"x","object":"y"}',
      /^Looked for usage.*, but the reply has only id, object\.$|(?:are not read by this version|states no usage)\.$/,
    ],
    ['a truncated object', '{"id":"x","usage":{"prompt_to', /^The reply could not be read as JSON/],
    ['an event stream of nothing', ': hello\n\n', /^The stream held no event \(9 bytes, /],
    ['an event stream of text', 'data: hello\n\n', /^None of the 1 events of the stream held a JSON object/],
  ])('that is %s has no usage, and says why', (_, body, problem) => {
    const facts = readReply(dialect, Buffer.from(body), { contentType: 'text/html' });
    expect(facts.usage).toEqual(unknownUsage);
    expect(facts.usageProblem).toMatch(problem);
  });
});

const routable = CATALOGUE.flatMap(({ name, apis }) =>
  apis.flatMap(({ dialect, paths }) => paths.map((pattern) => ({ name, api: dialect.api, pattern, dialect }))),
);

describe.each(routable)('a request of $name to $pattern', ({ dialect, pattern }) => {
  const last = pattern.lastIndexOf('*');
  const others = (text: string): string => text.replaceAll('*', 'other');
  const bare = last === -1 ? pattern : `${others(pattern.slice(0, last))}asked${pattern.slice(last + 1)}`;
  const path = `${bare}?key=k&alt=sse`;
  const body = '{ "model":"asked", "stream":true,"input":"model" }';
  const readModel = (request: { readonly body: Buffer; readonly path: string } | undefined) =>
    request === undefined ? undefined : dialect.readRequest(JSON.parse(request.body.toString()), request.path).model;

  it('is read as one for the model that was put into it, and nothing else of it is changed', () => {
    const collection = pattern.includes('/tunedModels/') ? 'tunedModels/' : '';
    const chosen = `${collection}chosen-1.5`;
    expect(readModel({ body: Buffer.from(body), path })).toBe(`${collection}asked`);
    const changed = dialect.withModel?.({ body: Buffer.from(body), path }, chosen);
    expect(readModel(changed)).toBe(chosen);
    expect(changed?.path.replace('chosen-1.5', 'asked')).toBe(path);
    expect(changed?.body.toString().replace(chosen, 'asked')).toBe(body);
  });

  it.each(['', '[1]', '{"model":', 'text'])('never throws over the body %j', (broken) => {
    const changed = dialect.withModel?.({ body: Buffer.from(broken), path }, 'chosen');
    expect(changed?.body.toString() ?? broken).toBe(broken);
  });
});

const usageReplies = jsonReplies.filter(({ file, headers }) => {
  return Object.keys(headers).length === 0 && /"usage(?:Metadata)?"/.test(readFixture(file).toString('utf8'));
});

describe.each(usageReplies)('$file with usage that is wrong', ({ file, dialect }) => {
  const document: JsonValue = JSON.parse(readFixture(file).toString('utf8'));

  it.each([
    ['a list', []],
    ['a string', 'many'],
    ['a number that is no count', -7],
    ['null', null],
  ])('does not throw over %s', (_, usage) => {
    const facts = readReply(dialect, Buffer.from(JSON.stringify(replaceUsage(document, () => usage))));
    expect(facts.usage).toEqual(unknownUsage);
    expect(facts.usageProblem).toMatch(
      /^(?:A usage object was expected|A token count was expected|Looked for|The replies of this API|Anthropic's older|The reply (?:says|has|states)|The provider reported)/,
    );
  });

  it.each([
    ['negative', -1],
    ['fractional', 1.5],
    ['written as text', '12'],
    ['huge', 1e300],
  ])('leaves counts that are %s unknown', (_, count) => {
    const changed = replaceUsage(document, (usage) => replaceNumbers(usage, count));
    const facts = readReply(dialect, Buffer.from(JSON.stringify(changed)));
    expect(facts.usage).toEqual(unknownUsage);
    expect(facts.usageProblem).not.toBeNull();
  });
});

describe('the first token', () => {
  it('is the first piece of output, not the frame that names the role', () => {
    const bytes = readFixture('openai-chat/answer.sse');
    const frame = bytes.indexOf('Line\u2028one');
    const reader = openaiChat.openReply(
      { status: 200, contentType: 'text/event-stream' },
      { model: null, stream: true, wireSession: null },
    );
    reader.write(bytes.subarray(0, frame), 100);
    reader.write(bytes.subarray(frame, frame + 200), 250);
    reader.write(bytes.subarray(frame + 200), 400);
    expect(reader.end().firstTokenAtMs).toBe(250);
  });

  it.each([...streams, ...eventStreams, ...lineStreams].filter(({ file }) => !/failed/.test(file)))(
    'is seen in $file',
    ({ file, dialect }) => {
      const { firstTokenAtMs } = readReply(dialect, readFixture(file), {
        contentType: readContentType(file),
        pieceBytes: 16,
      });
      expect(firstTokenAtMs).toBeGreaterThan(1);
    },
  );

  it.each(jsonReplies)('is unknown in $file, which is no stream', ({ file, dialect }) => {
    expect(read(dialect, file).firstTokenAtMs).toBeNull();
  });
});

describe('a stream of chat completions that was not asked for usage', () => {
  it('says what would have brought it', () => {
    const facts = read(openaiChat, 'openai-chat/no-usage.sse');
    expect(facts).toMatchObject({ usage: unknownUsage, complete: true, finishReasons: ['stop'] });
    expect(facts.usageProblem).toBe(
      'Looked for usage.prompt_tokens and usage.completion_tokens in 6 frames, but none carried it; it comes only when the request asks for it by stream_options.include_usage.',
    );
  });

  it('says that it was cut when it was', () => {
    const bytes = readFixture('openai-chat/no-usage.sse');
    const facts = readReply(openaiChat, bytes.subarray(0, 600), { contentType: 'text/event-stream' });
    expect(facts.usageProblem).toMatch(/but the stream ended before its usage\.$/);
    expect(facts.complete).toBe(false);
  });
});

/** Where replies keep their usage: objects, and the counts of an API that keeps them beside everything else. */
const USAGE_KEYS: ReadonlySet<string> = new Set(['usage', 'usageMetadata', 'meta', 'prompt_eval_count', 'eval_count']);

function replaceUsage(value: JsonValue, change: (usage: JsonValue) => JsonValue): JsonValue {
  return replaceKeys(value, (key, found) => (USAGE_KEYS.has(key) ? change(found) : undefined));
}

function replaceNumbers(value: JsonValue, count: JsonValue): JsonValue {
  if (typeof value === 'number') return count;
  return replaceKeys(value, (_, found) => (typeof found === 'number' ? count : undefined));
}

function replaceKeys(value: JsonValue, change: (key: string, value: JsonValue) => JsonValue | undefined): JsonValue {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item: JsonValue) => replaceKeys(item, change));
  const entries = Object.entries(value).map(([key, found]) => {
    const changed = change(key, found);
    return [key, changed === undefined ? replaceKeys(found, change) : changed];
  });
  return Object.fromEntries(entries);
}
