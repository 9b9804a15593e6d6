/**
 * Reads `NODE_OPTIONS` into its words as Node does: blanks separate, double quotes group, and a backslash takes the next
 * character as it is, inside quotes only.
 * Source: https://nodejs.org/api/cli.html#node_optionsoptions and `ParseNodeOptionsEnvVar` in
 * https://github.com/nodejs/node/blob/main/src/node_options.cc (read 2026-11-21).
 *
 * @example
 * readNodeOptions('--require "/a b/c.cjs" -r d') // ['--require', '/a b/c.cjs', '-r', 'd']
 */
export function readNodeOptions(text: string): readonly string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    let character = text.charAt(at);
    if (character === '\\' && quoted) {
      character = text.charAt(++at);
    } else if (character === ' ' && !quoted) {
      if (word !== null) words.push(word);
      word = null;
      continue;
    } else if (character === '"') {
      quoted = !quoted;
      word ??= '';
      continue;
    }
    word = (word ?? '') + character;
  }
  return word === null ? words : [...words, word];
}

/**
 * `NODE_OPTIONS` with a file preloaded by `--require`, behind what it held; unchanged when that file is preloaded already.
 *
 * @param file absolute; blanks, quotes and backslashes are safe
 */
export function addRequire(previous: string | undefined, file: string): string {
  const words = readNodeOptions(previous ?? '');
  const present = words.some(
    (word, at) => word === `--require=${file}` || (word === file && ['-r', '--require'].includes(words[at - 1] ?? '')),
  );
  if (previous !== undefined && present) return previous;
  const option = `--require="${file.replace(/["\\]/g, String.raw`\$&`)}"`;
  return previous === undefined || previous.trim() === '' ? option : `${previous} ${option}`;
}
