import { describe, expect, it } from 'vitest';
import {
  askForStreamUsage,
  type FilteredPart,
  findMembers,
  replaceMember,
  UsageFrameFilter,
} from '../../../src/providers/wire/usage-frames.js';

function ask(body: string): string | undefined {
  return askForStreamUsage(Buffer.from(body))?.toString();
}

describe('findMembers', () => {
  function valuesOf(json: string, ...keys: string[]): string[] | undefined {
    const bytes = Buffer.from(json);
    return findMembers(bytes, keys)?.map(({ valueStart, valueEnd }) => bytes.toString('utf8', valueStart, valueEnd));
  }

  it('finds top-level members only, in order, repeated ones too', () => {
    expect(valuesOf('{"a":{"b":1},"b":2}', 'b')).toEqual(['2']);
    expect(valuesOf('{"a":["b",{"b":1}],"c":"\\"b\\":3","b" : [ {} ] ,"b":null}', 'b')).toEqual(['[ {} ]', 'null']);
    expect(valuesOf('\ufeff\r\n{ "ü" : "\\\\" , "\\u0062" : -1.5e3 }\t', 'b', 'ü')).toEqual(['"\\\\"', '-1.5e3']);
    expect(valuesOf('{}', 'b')).toEqual([]);
    expect(valuesOf('{ }', 'b')).toEqual([]);
  });

  it('finds nothing in what is no object', () => {
    const broken = [
      '',
      ' ',
      '[]',
      '"b"',
      '1',
      '{',
      '{"b"',
      '{"b":',
      '{"b":1',
      '{"b":1,',
      '{"b":1,}',
      '{,}',
      '{"b" 1}',
      '{"b":}',
    ];
    for (const json of [
      ...broken,
      '{"b":[}',
      '{"b":[1}',
      '{"b":"x}',
      '{"b":1}}',
      '{"b":1} x',
      '{b:1}',
      '{"\\x":1}',
      '{"b":1 "c":2}',
    ]) {
      expect(valuesOf(json, 'b'), json).toBeUndefined();
    }
    expect(valuesOf(`{"b":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 'b')).toBeUndefined();
  });

  it('knows what to cut with one comma', () => {
    function without(json: string): string {
      const bytes = Buffer.from(json);
      const member = findMembers(bytes, ['x'])?.[0];
      if (member === undefined) return json;
      return bytes.toString('utf8', 0, member.cutStart) + bytes.toString('utf8', member.cutEnd);
    }
    expect(without('{"a": 1, "x": null}')).toBe('{"a": 1}');
    expect(without('{"a":1,"x":null,"b":2}')).toBe('{"a":1,"b":2}');
    expect(without('{"x":null, "b":2}')).toBe('{"b":2}');
    expect(without('{ "x": null }')).toBe('{  }');
  });
});

describe('replaceMember', () => {
  it('changes the value and nothing else', () => {
    const json = Buffer.from('{ "messages":[{"model":"inner"}],\n "model" : "größe" , "n":1.0 }');
    expect(replaceMember(json, 'model', 'b"c')?.toString()).toBe(
      '{ "messages":[{"model":"inner"}],\n "model" : "b\\"c" , "n":1.0 }',
    );
  });

  it('changes every value of a repeated key, whichever the provider takes', () => {
    expect(replaceMember(Buffer.from('{"model":"a","model":"b"}'), 'model', 'c')?.toString()).toBe(
      '{"model":"c","model":"c"}',
    );
  });

  it('gives nothing when there is no such member', () => {
    expect(replaceMember(Buffer.from('{"a":1}'), 'model', 'c')).toBeUndefined();
    expect(replaceMember(Buffer.from('[1]'), 'model', 'c')).toBeUndefined();
  });
});

describe('askForStreamUsage', () => {
  it('adds stream_options and keeps every other byte', () => {
    expect(ask('{"stream":true}')).toBe('{"stream_options":{"include_usage":true},"stream":true}');
    expect(ask('\ufeff {\n  "model": "m",\n  "stream": true\n}\n')).toBe(
      '\ufeff {"stream_options":{"include_usage":true},\n  "model": "m",\n  "stream": true\n}\n',
    );
  });

  it('extends stream_options the client sent', () => {
    expect(ask('{"stream":true,"stream_options":{}}')).toBe('{"stream":true,"stream_options":{"include_usage":true}}');
    expect(ask('{"stream":true,"stream_options":{ }}')).toBe(
      '{"stream":true,"stream_options":{"include_usage":true }}',
    );
    expect(ask('{"stream":true,"stream_options": {"include_obfuscation": false}}')).toBe(
      '{"stream":true,"stream_options": {"include_usage":true,"include_obfuscation": false}}',
    );
    expect(ask('{"stream":true,"stream_options":null}')).toBe(
      '{"stream":true,"stream_options":{"include_usage":true}}',
    );
    expect(ask('{"stream":true,"stream_options":{"a":{"include_usage":true}}}')).toBe(
      '{"stream":true,"stream_options":{"include_usage":true,"a":{"include_usage":true}}}',
    );
  });

  it('sets include_usage when it is false, null or anything but true', () => {
    for (const value of ['false', 'null', '0', '"true"', '[true]']) {
      expect(ask(`{"stream_options":{"include_usage": ${value} },"stream":true}`)).toBe(
        '{"stream_options":{"include_usage": true },"stream":true}',
      );
    }
  });

  it('goes by the last of repeated keys, as JSON parsers do', () => {
    expect(ask('{"stream":true,"stream":false}')).toBeUndefined();
    expect(ask('{"stream":false,"stream":true}')).toBeDefined();
    expect(ask('{"stream":true,"stream_options":{"include_usage":true},"stream_options":{}}')).toBe(
      '{"stream":true,"stream_options":{"include_usage":true},"stream_options":{"include_usage":true}}',
    );
    expect(ask('{"stream":true,"stream_options":{},"stream_options":{"include_usage":true}}')).toBeUndefined();
    expect(ask('{"stream":true,"stream_options":{"include_usage":true,"include_usage":false}}')).toBe(
      '{"stream":true,"stream_options":{"include_usage":true,"include_usage":true}}',
    );
  });

  it('knows keys by their escapes', () => {
    expect(ask('{"str\\u0065am":true,"stream\\u005foptions":{"include\\u005Fusage":false}}')).toBe(
      '{"str\\u0065am":true,"stream\\u005foptions":{"include\\u005Fusage":true}}',
    );
  });

  it('leaves alone what is no stream, asks already or is no request', () => {
    const bodies = [
      '',
      '[]',
      'null',
      '{}',
      '{"stream":false}',
      '{"stream":"true"}',
      '{"a":{"stream":true}}',
      '{"stream":true',
    ];
    for (const body of [
      ...bodies,
      '{"stream":true,"stream_options":{"include_usage":true}}',
      '{"stream":true,"stream_options":"x"}',
      '{"stream":true,"stream_options":[]}',
      '{"stream":truely}',
      '{"messages":"{\\"stream\\":true}"}',
    ]) {
      expect(ask(body), body).toBeUndefined();
    }
  });
});

describe('UsageFrameFilter', () => {
  const usage = '{"prompt_tokens":1,"completion_tokens":2}';

  function filterParts(parts: readonly Buffer[]): string {
    const filter = new UsageFrameFilter();
    const out = parts.map((part) => Buffer.from(filter.write(part)));
    return Buffer.concat([...out, filter.end()]).toString();
  }

  const streams: readonly (readonly [string, string, string])[] = ['\n', '\r\n', '\r'].map((eol) => [
    JSON.stringify(eol),
    [
      `\ufeffdata: {"choices":[{"delta":{"content":"the \\"usage\\":null 🙂"}}],"usage":null}`,
      '',
      ': "usage" ping',
      '',
      `event: x${eol}data:{"choices": [], "usage": null, "prompt_filter_results": []}`,
      '',
      `data: {"usage":null,"choices":[]}`,
      '',
      `data: {"choices":[{"delta":{"usage":null}}]}`,
      '',
      `data: {"choices":[]`,
      `data: ,"usage":`,
      `data: null}`,
      '',
      `data: {"id":"1","choices":[ ],`,
      `data: "usage":${usage}}`,
      '',
      'data: [DONE]',
      '',
      '',
    ].join(eol),
    [
      `\ufeffdata: {"choices":[{"delta":{"content":"the \\"usage\\":null 🙂"}}]}`,
      '',
      ': "usage" ping',
      '',
      `event: x${eol}data:{"choices": [], "prompt_filter_results": []}`,
      '',
      `data: {"choices":[]}`,
      '',
      `data: {"choices":[{"delta":{"usage":null}}]}`,
      '',
      `data: {"choices":[]}`,
      '',
      'data: [DONE]',
      '',
      '',
    ].join(eol),
  ]);

  it.each(streams)('hides what was asked for with line ends %s, cut at any byte', (_eol, asked, expected) => {
    const bytes = Buffer.from(asked);
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(filterParts([bytes.subarray(0, cut), bytes.subarray(cut)]), `cut at ${cut}`).toBe(expected);
    }
    expect(filterParts(Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)))).toBe(expected);
  });

  it('passes each frame on as soon as it is whole', () => {
    const filter = new UsageFrameFilter();
    expect(filter.write(Buffer.from('data: {"choices":[]}\n\n')).toString()).toBe('data: {"choices":[]}\n\n');
    expect(filter.write(Buffer.from('data: {"cho')).toString()).toBe('');
    expect(filter.write(Buffer.from('ices":[]}\r\n\r\ndata')).toString()).toBe('data: {"choices":[]}\r\n\r\n');
    expect(filter.end().toString()).toBe('data');
  });

  it('tells what it took out', () => {
    const parts: FilteredPart[] = [];
    const filter = new UsageFrameFilter((part) => parts.push(part));
    filter.write(Buffer.from('data: {"choices":[],"usage":null}\n\n'));
    expect(filter.hidden).toBe(false);
    filter.write(Buffer.from(`data: {"choices":[],"usage":${usage}}\n\n`));
    expect(filter.hidden).toBe(true);
    expect(parts).toEqual(['member', 'frame']);
  });

  it('leaves usage beside choices, without choices or of another shape', () => {
    for (const data of [
      `{"choices":[{}],"usage":${usage}}`,
      `{"usage":${usage}}`,
      '{"choices":[],"usage":[]}',
      '{"choices":null,"usage":{}}',
      '{"choices":[],"x":{"usage":null}}',
      '{"choices":[],"usage":null',
      'the "usage" is',
    ]) {
      expect(filterParts([Buffer.from(`data: ${data}\n\n`)]), data).toBe(`data: ${data}\n\n`);
    }
  });

  it('hides the frame also when the stream ends without its blank line', () => {
    expect(filterParts([Buffer.from(`data: {"choices":[],"usage":${usage}}`)])).toBe('');
    expect(filterParts([Buffer.from(`data: {"choices":[],"usage":${usage.slice(0, 9)}`)])).toBe(
      `data: {"choices":[],"usage":${usage.slice(0, 9)}`,
    );
  });

  it('passes a frame over 1 MiB on unread, within bounded memory, and reads the next', () => {
    const filter = new UsageFrameFilter();
    let passed = filter.write(Buffer.from('data: {"usage":null,"x":"')).length;
    const part = Buffer.alloc(64 * 1024, 'x');
    for (let sent = 0; sent < 64; sent++) passed += filter.write(part).length;
    expect(passed).toBe(25 + 64 * part.length);
    expect(filter.write(Buffer.from('"}\n\ndata: {"a":1,"usage":null}\n\n')).toString()).toBe(
      '"}\n\ndata: {"a":1}\n\n',
    );
  });
});
