import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TrackerError } from '../../src/core/errors.js';
import {
  makeConfigToken,
  makeGraphToken,
  parseConfigToken,
  parseGraphToken,
  readConfigToken,
  readGraphToken,
} from '../../src/trackers/resumption-token.js';
import { listVectors } from '../fixtures/tracker-vectors.js';

interface EncodeInput {
  readonly runId: string;
  readonly configKey: string;
  readonly graphKey: string;
  readonly ldMeta: { readonly variationKey: string; readonly version: number | null };
}
interface DecodeInput {
  readonly token: string;
}
interface Facts {
  readonly json: string;
  readonly token: string;
  readonly trackData: Record<string, unknown>;
  readonly reencoded: string;
}
interface Ours {
  readonly ok: boolean;
}

const plain = (json: string): string => Buffer.from(json).toString('base64url');
const decode = (token: string): string => Buffer.from(token, 'base64url').toString('utf8');

/** What another SDK wrote, less the empty variation key that one of them alone writes. */
const withoutEmpty = (json: string): string => json.replace('"variationKey":"",', '').replace(',"variationKey":""', '');

describe("a config tracker's token", () => {
  const vectors = listVectors<EncodeInput & DecodeInput, Facts>('token-config');

  it.each(vectors.filter(({ id }) => id.includes('.encode.')))('has the bytes of $id', ({ input, expected }) => {
    const { runId, configKey, ldMeta } = input;
    const { variationKey, version } = ldMeta;
    const token = makeConfigToken({ runId, configKey, variationKey, version: version ?? 1, graphKey: null });
    expect(token).toBe(expected.token);
    expect(decode(token)).toBe(expected.json);
  });

  it.each(vectors.filter(({ id }) => id.includes('.decode.')))('is read as $id says', ({ input, expected, ours }) => {
    const result = parseConfigToken(input.token);
    expect(result.ok).toBe((ours as Ours).ok);
    if (!result.ok) {
      expect(() => readConfigToken(input.token)).toThrow(expect.objectContaining({ code: 'TOKEN_INVALID' }));
      return;
    }
    const { runId, configKey, variationKey, version, graphKey } = expected.trackData;
    expect(result.value).toEqual({ runId, configKey, variationKey, version, graphKey: graphKey ?? null });
    expect(readConfigToken(input.token)).toEqual(result.value);
    expect(decode(makeConfigToken(result.value))).toBe(withoutEmpty(expected.reencoded));
  });
});

describe("a graph tracker's token", () => {
  const vectors = listVectors<EncodeInput & DecodeInput, Facts>('token-graph');

  it.each(vectors.filter(({ id }) => id.includes('.encode.')))('has the bytes of $id', ({ input, expected }) => {
    const { runId, graphKey, ldMeta } = input;
    const token = makeGraphToken({ runId, graphKey, variationKey: ldMeta.variationKey, version: ldMeta.version ?? 1 });
    expect(token).toBe(expected.token);
    expect(decode(token)).toBe(expected.json);
  });

  it.each(vectors.filter(({ id }) => id.includes('.decode.')))('is read as $id says', ({ input, expected, ours }) => {
    const result = parseGraphToken(input.token);
    expect(result.ok).toBe((ours as Ours).ok);
    if (!result.ok) {
      expect(() => readGraphToken(input.token)).toThrow(expect.objectContaining({ code: 'TOKEN_INVALID' }));
      return;
    }
    expect(result.value).toEqual(expected.trackData);
    expect(decode(makeGraphToken(result.value))).toBe(expected.reencoded);
  });

  it('leaves out an empty variation key', () => {
    const token = makeGraphToken({ runId: 'r', graphKey: 'g', variationKey: '', version: 0 });
    expect(decode(token)).toBe('{"runId":"r","graphKey":"g","version":0}');
  });
});

describe('reading a token', () => {
  const full = '{"runId":"r","configKey":"k","version":1}';

  it.each([
    ['escapes, as Python and .NET write them', plain('{"runId":"\\u00fc","configKey":"k","version":1}')],
    ['padding', Buffer.from(full).toString('base64')],
    ['a key named twice, the last one counts', plain('{"runId":"x","runId":"r","configKey":"k","version":1}')],
    ['a number written another way', plain('{"runId":"r","configKey":"k","version":1.0}')],
    ['8 KiB', plain(JSON.stringify({ runId: 'r', configKey: 'k', version: 1, x: 'x'.repeat(6096) }))],
  ])('takes %s', (_, token) => {
    expect(parseConfigToken(token)).toMatchObject({ ok: true, value: { configKey: 'k', version: 1 } });
  });

  it.each([
    ['null', null, 'it is not text'],
    ['nothing', undefined, 'it is not text'],
    ['a number', 5, 'it is not text'],
    ['more than 8 KiB', 'A'.repeat(8193), 'it is longer than 8192 characters'],
    ['blanks around it', ` ${plain(full)} `, 'it is not base64'],
    ['a digit too many', `${plain('{"runId":"r","configKey":"kk","version":1}').slice(0, 53)}`, 'it is not base64'],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url'), 'it holds no JSON in UTF-8'],
    ['JSON null', plain('null'), 'it holds no JSON object'],
    ['a number for an id', plain('{"runId":1,"configKey":"k","version":1}'), 'its runId is not text'],
    ['an inherited id', plain('{"__proto__":{"runId":"r"},"configKey":"k","version":1}'), 'it has no runId'],
    ['a blank key', plain('{"runId":"r","configKey":" ","version":1}'), 'it has no configKey'],
    [
      'a number for a variation',
      plain('{"runId":"r","configKey":"k","version":1,"variationKey":2}'),
      'its variationKey',
    ],
    ['a fraction', plain('{"runId":"r","configKey":"k","version":1.5}'), 'its version is not a whole number'],
    ['infinity', plain('{"runId":"r","configKey":"k","version":1e999}'), 'its version is not a whole number'],
    ['null for a version', plain('{"runId":"r","configKey":"k","version":null}'), 'it has no version'],
    ["a graph's token", plain('{"runId":"r","graphKey":"g","version":1}'), 'it has no configKey'],
  ])('refuses %s', (_, token, reason) => {
    const result = parseConfigToken(token);
    expect(result).toMatchObject({ ok: false, error: { code: 'TOKEN_INVALID' } });
    expect(result.ok ? '' : result.error.message).toContain(reason);
  });

  it("refuses a node's token where a graph's is asked, though it names a graph and a run", () => {
    const node = makeConfigToken({ runId: 'r', configKey: 'k', variationKey: '', version: 1, graphKey: 'g' });
    expect(parseGraphToken(node)).toMatchObject({ ok: false, error: { code: 'TOKEN_INVALID' } });
  });

  it('never repeats a token, which would let a reader of the log add to the run', () => {
    const token = plain('{"runId":"secret-run","configKey":"k"}');
    const result = parseConfigToken(token);
    expect(result.ok ? '' : result.error.message).not.toMatch(new RegExp(`${token}|secret-run`));
  });

  it('throws nothing but one error, whatever it is given', () => {
    const anything = fc.oneof(
      fc.anything(),
      fc.string(),
      fc.jsonValue().map((value) => plain(JSON.stringify(value))),
    );
    const property = fc.property(anything, (value) => {
      for (const result of [parseConfigToken(value), parseGraphToken(value)]) {
        if (!result.ok) expect(result.error).toBeInstanceOf(TrackerError);
      }
    });
    fc.assert(property, { numRuns: 500 });
  });

  it('gives back what was put in', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 }).filter((value) => value.trim() !== '');
    const fields = fc.record({
      runId: text,
      configKey: text,
      variationKey: fc.string({ unit: 'grapheme' }),
      version: fc.maxSafeInteger().map((value) => value + 0),
      graphKey: fc.option(text, { nil: null }),
    });
    fc.assert(
      fc.property(fields, (given) => {
        expect(parseConfigToken(makeConfigToken(given))).toEqual({ ok: true, value: given });
      }),
    );
  });
});
