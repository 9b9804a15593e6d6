import { describe, expect, it } from 'vitest';
import type { Pieces } from '../../src/core/pieces.js';
import type { Dialect, ReplyReader } from '../../src/core/wire.js';
import { answerCases, errorStreamCases } from './provider-answers.js';
import { listFixtures, readContentType, readFixture } from './provider-fixtures.js';

const answers = answerCases.flatMap(({ answer, forms, dialect }) =>
  forms.map((form) => ({ file: `${answer}.${form}`, dialect })),
);
const cases = [...answers, ...errorStreamCases.map(({ file, dialect }) => ({ file, dialect }))];

interface Cut {
  readonly pieceBytes: number;
  /** Pieces of a block; each is written by itself when absent. */
  readonly together?: number;
}

/** What a dialect says, keeps and times of a reply whose n-th piece arrives at n milliseconds. */
function read(dialect: Dialect, bytes: Buffer, { contentType, cut }: { contentType: string; cut: Cut }) {
  const kept: string[] = [];
  const keep = (piece: string | Uint8Array): void => void kept.push(Buffer.from(piece as string).toString());
  const isKept = contentType.includes('eventstream');
  const head = { status: 200, contentType, findHeader: () => null, ...(isKept && { keep }) };
  const reader = dialect.openReply(head, { model: null, stream: true, wireSession: null });
  const { pieceBytes, together } = cut;
  const blockBytes = pieceBytes * (together ?? 1);
  for (let at = 0; at < bytes.length; at += blockBytes) {
    // Memory that is used again for what comes next.
    const block = Buffer.from(bytes.subarray(at, at + blockBytes));
    write(reader, block, { firstAtMs: at / pieceBytes + 1, cut });
    block.fill('"');
  }
  return { facts: reader.end(), times: reader.outputTimes?.(), kept: kept.join('') };
}

function write(reader: ReplyReader, block: Buffer, { firstAtMs, cut }: { firstAtMs: number; cut: Cut }): void {
  if (cut.together === undefined || reader.writeBlock === undefined) {
    for (let at = 0; at < block.length; at += cut.pieceBytes) {
      reader.write(block.subarray(at, at + cut.pieceBytes), firstAtMs + at / cut.pieceBytes);
    }
    return;
  }
  const count = Math.ceil(block.length / cut.pieceBytes);
  const numbers = Array.from({ length: count }, (_, i) => i);
  const pieces: Pieces = {
    count,
    ends: numbers.map((i) => Math.min(block.length, (i + 1) * cut.pieceBytes)),
    times: numbers.map((i) => firstAtMs + i),
  };
  reader.writeBlock(block, pieces);
}

describe('pieces that are read together', () => {
  it('are those of many fixtures', () => {
    expect(cases.length).toBeGreaterThan(listFixtures().length / 2);
  });

  it.each(cases)('say, keep and time of $file what they do one by one', ({ file, dialect }) => {
    const contentType = readContentType(file);
    const text = readFixture(file);
    const bodies = file.endsWith('.sse') ? [text, ...changeLines(text)] : [text];
    for (const bytes of bodies) {
      for (const pieceBytes of [1, 7, 64, 100, 1000]) {
        const expected = read(dialect, bytes, { contentType, cut: { pieceBytes } });
        for (const together of [1, 2, 13, 128]) {
          expect(read(dialect, bytes, { contentType, cut: { pieceBytes, together } })).toEqual(expected);
        }
      }
    }
  });
});

/**
 * The same stream with other line ends, with letters of two, three and four bytes in what it says, and cut behind what it
 * said last, before the blank line.
 */
function changeLines(bytes: Buffer): Buffer[] {
  const text = bytes.toString().replaceAll('\r\n', '\n');
  const mixed = text
    .split('\n')
    .map((line, i) => line + (['\n', '\r\n', '\r'][i % 3] ?? ''))
    .join('');
  const foreign = text.replaceAll(/("(?:text|content|delta)": ?")(?=[A-Za-z ])/g, '$1é€🙂');
  const said = [...text.matchAll(/^data:.*"(?:text|content|delta)":.*$/gm)].at(-1);
  const unended = said === undefined ? text : text.slice(0, said.index + said[0].length);
  return [text, text.replaceAll('\n', '\r\n'), mixed, foreign, unended].map((changed) => Buffer.from(changed));
}
