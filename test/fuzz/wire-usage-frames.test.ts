import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { JsonValue } from '../../src/core/call-record.js';
import { askForStreamUsage, replaceMember, UsageFrameFilter } from '../../src/providers/wire/usage-frames.js';

const json = fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' }).map((value) => value as JsonValue);
const keys = fc.oneof(
  fc.constantFrom('stream', 'stream_options', 'usage', 'choices', 'model', 'include_usage'),
  fc.string(),
);
const objects = fc.dictionary(keys, json);
const indents = fc.constantFrom(0, 2, '\t');

it('asks by adding include_usage and changing nothing else', () => {
  const options = fc.oneof(fc.constant(null), fc.constant(undefined), fc.dictionary(keys, json));
  fc.assert(
    fc.property(objects, options, indents, (members, stream_options, indent) => {
      const { stream_options: _, ...rest } = members;
      const request = { ...rest, ...(stream_options === undefined ? {} : { stream_options }), stream: true };
      const body = JSON.stringify(request, null, indent);
      const asked = askForStreamUsage(Buffer.from(body));
      const original = JSON.parse(body);
      if (original.stream_options?.include_usage === true) {
        expect(asked).toBeUndefined();
        return;
      }
      const expected = { ...original, stream_options: { ...original.stream_options, include_usage: true } };
      expect(JSON.parse(String(asked))).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

/** No string of the property's own is it. */
const mark = 'the-one-place-where-the-value-goes';

it('replaces a member of any object and nothing else', () => {
  fc.assert(
    fc.property(objects, indents, json, (members, indent, value) => {
      const body = JSON.stringify({ ...members, model: 'm' }, null, indent);
      const replaced = replaceMember(Buffer.from(body), 'model', value);
      expect(String(replaced)).toBe(
        JSON.stringify({ ...members, model: mark }, null, indent).replace(`"${mark}"`, () => JSON.stringify(value)),
      );
    }),
    { numRuns: 300 },
  );
});

it('takes any bytes without throwing', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 })), (parts) => {
      const filter = new UsageFrameFilter();
      const out: Uint8Array[] = parts.map((part) => filter.write(part));
      out.push(filter.end());
      const bytes = Buffer.concat(parts);
      expect(Buffer.concat(out).equals(bytes)).toBe(true);
      askForStreamUsage(bytes);
    }),
    { numRuns: 500 },
  );
});

interface Frame {
  readonly asked: string;
  readonly plain: string;
}

/** A frame as it comes when usage was asked for, and as it comes when not. */
const frames = fc
  .tuple(
    fc.constantFrom('chunk', 'chunk', 'chunk', 'usage', 'comment', 'ping', 'done', 'both'),
    fc.array(fc.tuple(keys, json), { minLength: 1, maxLength: 4 }),
    fc.nat(4),
    fc.constantFrom(',', ', ', ' , '),
    fc.constantFrom('\n', '\r\n', '\r'),
    fc.constantFrom('data: ', 'data:', 'event: usage\ndata: ', 'id: 1\r\ndata:'),
  )
  .map(([kind, members, place, comma, eol, head]): Frame => {
    if (kind === 'comment') return same(`: "usage":null${eol}${eol}`);
    if (kind === 'ping') return same(`: "usage":null${eol}`);
    if (kind === 'done') return same(`data: [DONE]${eol}${eol}`);
    if (kind === 'both') return same(`${head}{"choices":[{}],"usage":{"prompt_tokens":1}}${eol}${eol}`);
    if (kind === 'usage')
      return { asked: `${head}{"choices":[]${comma}"usage":{"prompt_tokens":1}}${eol}${eol}`, plain: '' };
    const texts = members
      .filter(([key]) => key !== 'usage')
      .map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
    const asked = [...texts.slice(0, place), '"usage":null', ...texts.slice(place)];
    return {
      asked: `${head}{${asked.join(comma)}}${eol}${eol}`,
      plain: `${head}{${texts.join(comma)}}${eol}${eol}`,
    };
  });

function same(text: string): Frame {
  return { asked: text, plain: text };
}

it('gives back the bytes of the stream that was not asked, however they are cut', () => {
  const steps = fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(fc.array(frames, { maxLength: 12 }), steps, (stream, sizes) => {
      const bytes = Buffer.from(stream.map(({ asked }) => asked).join(''));
      const filter = new UsageFrameFilter();
      const out: Buffer[] = [];
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1;
        out.push(filter.write(bytes.subarray(at, at + size)));
        at += size;
      }
      out.push(filter.end());
      expect(Buffer.concat(out).toString()).toBe(stream.map(({ plain }) => plain).join(''));
    }),
    { numRuns: 500 },
  );
});
