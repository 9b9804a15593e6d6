import { describe, expect, it } from 'vitest';
import { askForStreamUsage, findMembers, replaceMember } from '../../../src/providers/wire/usage-frames.js';

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
