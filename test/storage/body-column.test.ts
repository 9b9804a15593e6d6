import { statSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../src/core/call-record.js';
import { makeBodyValue, readBody } from '../../src/storage/body-column.js';
import { openReadable } from '../../src/storage/database.js';
import { openLedgerReader } from '../../src/storage/ledger-reader.js';
import { openLedgerWriter } from '../../src/storage/ledger-writer.js';
import { makeCall, makeHome } from './records.js';

const frame = (i: number): string => `data: {"choices":[{"index":0,"delta":{"content":"wörd ${i} 🎉"}}]}\n\n`;
const long = Array.from({ length: 2000 }, (_, i) => frame(i)).join('');
const pack = (bytes: Buffer): Buffer => Buffer.concat([Buffer.of(1), deflateRawSync(bytes)]);

describe('the body of a call', () => {
  it('is JSON text where it is a document or a short stream, for who reads the file with SQL', () => {
    expect(makeBodyValue({ a: [1, 'x'.repeat(100_000)] })).toBe(JSON.stringify({ a: [1, 'x'.repeat(100_000)] }));
    expect(makeBodyValue(frame(1))).toBe(JSON.stringify(frame(1)));
    expect(makeBodyValue(null)).toBeNull();
  });

  it('takes little room where it is a long stream', () => {
    const value = makeBodyValue(long);
    expect(Buffer.isBuffer(value)).toBe(true);
    expect(value?.length).toBeLessThan(long.length / 8);
  });

  it('is read as it was, whatever it holds', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('\ud800', '\udc00', 'a', '\u0000', '\ufeff', '"') }),
    );
    const isKept = (body: JsonValue): boolean => isDeepStrictEqual(readBody(makeBodyValue(body)), body);
    fc.assert(
      fc.property(text, fc.jsonValue(), (given, value) => {
        const plain = JSON.parse(JSON.stringify(value)) as JsonValue;
        return [plain, given, given + long, long + given].every(isKept);
      }),
    );
  });

  it('is absent where its bytes are damaged, of another kind, or would fill the memory', () => {
    const good = makeBodyValue(long) as Buffer;
    const damaged = [
      good.subarray(0, good.length / 2),
      Buffer.concat([Buffer.of(9), good.subarray(1)]),
      Buffer.of(1, 255, 255, 255),
      Buffer.alloc(0),
      pack(Buffer.alloc(65 * 1024 * 1024)),
    ];
    for (const bytes of damaged) expect(readBody(bytes)).toBeNull();
  });

  it('lies so in the ledger, and comes back with its call', async () => {
    const home = makeHome();
    const writer = openLedgerWriter({
      home,
      onFault: (fault) => {
        throw new Error(fault.message);
      },
    });
    for (let i = 0; i < 20; i++)
      writer.saveCall(makeCall({ callId: `call-no-${i}`, stream: true, responseBody: long }));
    await writer.close();
    const path = join(home, 'llmtap.db');
    const reader = openLedgerReader({ home });
    expect(reader.requireCall('call-no-7').responseBody).toBe(long);
    expect(statSync(path).size).toBeLessThan((20 * long.length) / 4);
    const db = openReadable(path, 1000);
    expect(db?.prepare('SELECT typeof(response) AS type FROM bodies LIMIT 1').get()).toEqual({ type: 'blob' });
    db?.close();
    reader.close();
  });
});
