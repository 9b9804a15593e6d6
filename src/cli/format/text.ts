/**
 * Text from the wire made safe to print: control characters (an escape sequence could move the cursor or name the
 * window) and direction overrides are shown as `\u{…}`; line breaks and tabs become spaces.
 */
export function readableLine(text: string): string {
  return escapeControls(text.replace(/\r\n|[\r\n\t]/g, ' '));
}

/** As `readableLine`, line breaks and tabs kept. */
export function readableBlock(text: string): string {
  return escapeControls(text.replace(/\r\n/g, '\n'));
}

/** At most `width` characters, the last of them `…` when something was cut. */
export function cutText(text: string, width: number): string {
  if (measureText(text) <= width) return text;
  return `${Array.from(text)
    .slice(0, Math.max(0, width - 1))
    .join('')}…`;
}

/** Characters of a line, surrogate pairs counted once. */
export function measureText(text: string): number {
  return Array.from(text).length;
}

/**
 * Breaks a paragraph at spaces so that no line is longer than `width`, unless one word is. No-break spaces come out
 * as plain ones, so that what is to be typed stays in one piece. Lines of a list item (`- …`) hang below its text.
 */
export function wrapText(text: string, width: number, indent = ''): string {
  const lines: string[] = [];
  const hanging = text.startsWith('- ') ? '  ' : '';
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width - indent.length) {
      lines.push(line);
      line = `${hanging}${word}`;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines.map((part) => indent + part.replaceAll('\u00a0', ' ')).join('\n');
}

/** Line breaks and tabs, and the zero-width joiner that holds an emoji together. */
const keptControls = ['\n', '\t', '\u200d'];

function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    if (keptControls.includes(character)) return character;
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}
