import fc from 'fast-check';
import { expect, it } from 'vitest';
import { putBodyModel, putGoogleModel, putOpenaiModel } from '../../src/providers/model-rewrite.js';
import { findElements } from '../../src/providers/wire/json-members.js';

const values = fc.jsonValue({ maxDepth: 5, stringUnit: 'binary' });
const names = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 });
const keys = fc.oneof(fc.string(), fc.constantFrom('Model', 'models', 'requests', '__proto__', 'mode'));
const spaces = fc.constantFrom('', ' ', '\n\t', '\r\n  ');
const path = '/v1/chat/completions';

/** A key as JSON may spell it: as it is, or its first letter by number. */
function spell(key: string, byNumber: boolean): string {
  const plain = JSON.stringify(key);
  const first = key.charCodeAt(0);
  return byNumber && /^[a-z]/.test(key) ? `"\\u${first.toString(16).padStart(4, '0')}${plain.slice(2)}` : plain;
}

it('changes the model in any JSON object that names one, and not a byte besides', () => {
  const others = fc.array(fc.tuple(keys, values), { maxLength: 6 });
  const property = fc.property(
    others,
    others,
    names,
    names,
    spaces,
    fc.boolean(),
    (before, after, old, name, space, byNumber) => {
      const write = (list: readonly (readonly [string, unknown])[]): string[] =>
        list.map(([key, value]) => `${space}${spell(key, byNumber)}${space}:${space}${JSON.stringify(value)}${space}`);
      const head = `{${[...write(before), ''].join(',')}${space}${spell('model', byNumber)}${space}:${space}`;
      const tail = `${space}${['', ...write(after)].join(',')}}`;
      const body = Buffer.from(`${head}${JSON.stringify(old)}${tail}`);
      const changed = putBodyModel({ body, path }, name)?.body.toString() ?? '';
      expect(changed).toBe(`${head}${JSON.stringify(name)}${tail}`);
      expect(JSON.parse(changed)).toEqual({ ...JSON.parse(body.toString()), model: name });
      expect(Object.keys(JSON.parse(changed))).toEqual(Object.keys(JSON.parse(body.toString())));
    },
  );
  fc.assert(property, { numRuns: 500 });
});

it('finds the elements of any array', () => {
  fc.assert(
    fc.property(fc.array(values), fc.constantFrom(0, 2, '\t'), (elements, indent) => {
      const json = Buffer.from(JSON.stringify(elements, null, indent));
      const found = findElements(json)?.map(({ start, end }) => JSON.parse(json.toString('utf8', start, end)));
      expect(found).toEqual(JSON.parse(json.toString()));
    }),
    { numRuns: 300 },
  );
});

it('takes any bytes and any path without throwing, and leaves no path that says something else', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    values.map((value) => Buffer.from(JSON.stringify(value))),
  );
  const paths = fc.oneof(
    fc.constantFrom('/v1beta/models/a:generateContent', '/openai/deployments/d/embeddings', '/models/', '/models'),
    fc.webPath(),
    fc.string({ unit: 'binary' }).map((text) => `/models/${text}`),
  );
  fc.assert(
    fc.property(bytes, paths, names, (body, sent, name) => {
      for (const put of [putBodyModel, putOpenaiModel, putGoogleModel]) {
        const changed = put({ body: Buffer.from(body), path: sent }, name);
        if (changed === undefined || changed.path === sent) continue;
        expect(changed.path.split(/[?#]/)[0]?.split('/').length).toBe(sent.split(/[?#]/)[0]?.split('/').length);
        expect(changed.path.slice(changed.path.search(/[?#]|$/))).toBe(sent.slice(sent.search(/[?#]|$/)));
      }
    }),
    { numRuns: 1000 },
  );
});
