import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redactBody, redactText } from '../../src/call/redaction.js';
import { collectSecrets } from '../../src/call/secrets.js';
import type { JsonValue } from '../../src/core/call-record.js';

const known = 'canary-known-secret-value';
const shaped = 'sk-proj-aB3dE5gH7jK9mN1pQ3sT5vW7yZ';
const secrets = collectSecrets({ requestHeaders: ['x-api-key', known], url: '' });

type MakeFrame = (text: string, index: number) => JsonValue;

const dialects: Readonly<Record<string, MakeFrame>> = {
  'chat completions': (content) => ({ choices: [{ index: 0, delta: { content } }] }),
  'tool call arguments': (text) => ({
    choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: text } }] } }],
  }),
  'messages text': (text) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }),
  'messages input': (text) => ({
    type: 'content_block_delta',
    index: 1,
    delta: { type: 'input_json_delta', partial_json: text },
  }),
  'messages thinking': (text) => ({
    type: 'content_block_delta',
    index: 0,
    delta: { type: 'thinking_delta', thinking: text },
  }),
  'Gemini parts': (text) => ({ candidates: [{ content: { parts: [{ text }], role: 'model' } }] }),
  'responses text': (delta) => ({
    type: 'response.output_text.delta',
    item_id: 'm',
    output_index: 0,
    content_index: 0,
    delta,
  }),
};

function makeStream(frames: readonly JsonValue[], lineBreak = '\n'): string {
  return frames.map((frame) => `data: ${JSON.stringify(frame)}${lineBreak}${lineBreak}`).join('');
}

function redactStream(text: string, policy: 'redacted' | 'full' = 'redacted'): string {
  const kept = redactBody({ text, contentType: 'text/event-stream', policy, secrets });
  return typeof kept === 'string' ? kept : JSON.stringify(kept);
}

/** All strings of all frames, joined: what a reader who puts the deltas together sees. */
function joinTexts(stream: string): string {
  const strings: string[] = [];
  const collect = (value: unknown): void => {
    if (typeof value === 'string') strings.push(value);
    else if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) collect(inner);
  };
  for (const line of stream.split(/\r\n|\r|\n/)) {
    if (/^data: ?\{/.test(line)) collect(JSON.parse(line.slice(line.indexOf('{'))));
  }
  return strings.filter((text) => !/^(?:\w+_delta|content_block_delta|response\.\S+|m|model)$/.test(text)).join('');
}

describe('streams', () => {
  it.each(Object.entries(dialects))('mask a secret split over the deltas of %s at any place', (_, makeFrame) => {
    for (const secret of [known, shaped]) {
      for (let cut = 1; cut < secret.length; cut++) {
        const pieces = [`so: ${secret.slice(0, cut)}`, `${secret.slice(cut)} and`, ' on'];
        const kept = redactStream(makeStream(pieces.map(makeFrame)));
        expect(joinTexts(kept)).toMatch(/^so: \[redacted:[\w-]+\] and on$/);
      }
    }
  });

  it('mask a secret given one character a frame', () => {
    for (const [, makeFrame] of Object.entries(dialects)) {
      const kept = redactStream(makeStream(`a ${known} b ${shaped} c`.split('').map(makeFrame)), 'full');
      expect(joinTexts(kept)).toBe('a [redacted:secret] b [redacted:api-key] c');
    }
  });

  it('mask a value whose name and content come in different deltas', () => {
    const pieces = ['{"pass', 'word": "hun', 'ter two", "n"', ': 1}'];
    const kept = joinTexts(
      redactStream(makeStream(pieces.map((text, i) => dialects['messages input']?.(text, i) ?? null))),
    );
    expect(kept).toBe('{"password": "[redacted:password]", "n": 1}');
  });

  it('keep texts told at the same time apart', () => {
    const frame = (index: number, content: string): JsonValue => ({ choices: [{ index, delta: { content } }] });
    const frames = [frame(0, known.slice(0, 8)), frame(1, 'other '), frame(0, known.slice(8)), frame(1, 'words')];
    const kept = redactStream(makeStream(frames));
    expect(kept).not.toContain(known.slice(8));
    expect(kept).toContain('other ');
    expect(kept).toContain('words');
  });

  it('stay byte for byte what they were where nothing was found', () => {
    const text = `: ping\r\nevent: x\r\ndata:{"a": 1,  "t":"hello"}\r\n\r\ndata: [DONE]\r\n\r\nid: 5\u2028\n`;
    expect(redactStream(text)).toBe(text);
  });

  it('leave out a last frame that was cut', () => {
    const text = `${makeStream([dialects['chat completions']?.(known.slice(0, 8), 0) ?? null])}data: {"choices":[{"delta":{"content":"${known.slice(8)}`;
    expect(redactStream(text)).not.toContain(known.slice(8, 20));
    expect(redactStream(text)).toMatch(/data: \[cut\]$/);
  });

  it('mask a secret that a member given twice hides from JSON.parse', () => {
    expect(redactStream(`data: {"t":"${known}","t":"x"}\n\n`)).not.toContain(known);
  });

  it('are read as NDJSON, too', () => {
    const text = [known.slice(0, 5), known.slice(5)]
      .map((content) => `${JSON.stringify({ message: { content } })}\n`)
      .join('');
    const kept = redactBody({ text, contentType: 'application/x-ndjson', policy: 'full', secrets });
    expect(kept).toBe('{"message":{"content":"[redacted:secret]"}}\n{"message":{"content":""}}\n');
  });

  it('never let a planted secret through, wherever they are cut', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: known.length - 1 }), { maxLength: 6 });
    fc.assert(
      fc.property(cuts, fc.constantFrom(...Object.values(dialects)), fc.string(), (places, makeFrame, noise) => {
        const bounds = [0, ...places.toSorted((a, b) => a - b), known.length];
        const pieces = bounds.slice(1).map((end, i) => known.slice(bounds[i], end));
        const kept = redactStream(makeStream([noise, ...pieces, noise].map(makeFrame)));
        expect(joinTexts(kept)).not.toContain(known);
      }),
      { numRuns: 200 },
    );
  });
});

describe('redaction time', () => {
  const bytes = 1024 * 1024;
  const hostile = [
    ...[
      'eyJ',
      'eyJa.',
      'sk-',
      'sk-ant-',
      'sk-a1',
      'Bearer',
      'bearer ',
      'Basic abcdabcd ',
      '-----BEGIN PRIVATE KEY-----',
    ],
    ...[
      '-----BEGIN PRIVATE KEY-----!',
      'token=',
      'token:"',
      'token:\\"',
      "token:'",
      'password',
      'password: ',
      'cookie:',
    ],
    ...[
      'authorization: ',
      '://',
      '://a:',
      '?key=',
      '\\u0073',
      'hf_',
      'data:a/b;base64,',
      'data: {\n',
      '{"a":',
      'xai-',
      'a',
      '"',
    ],
    ...[
      'SG.aaaaaaaaaaaaaaaaaaaaa',
      'token:"\\"',
      'data: {"choices":[{"delta":{"content":"sk-"}}]}\n',
      '"AAAA',
      '\\',
      known.slice(0, -1),
    ],
  ];

  // Quadratic work would take minutes for a megabyte; the bound leaves room for a busy machine.
  it.each(hostile)('is linear in a megabyte of %j', (piece) => {
    const text = piece.repeat(Math.ceil(bytes / piece.length));
    const before = process.cpuUsage();
    redactText(text, secrets);
    redactBody({ text, contentType: null, policy: 'redacted', secrets });
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(8000);
  });
});
