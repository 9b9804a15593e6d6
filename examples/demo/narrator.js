/** Writes the demo's own lines to stdout, in colour on a terminal only. */

const inColour = process.stdout.isTTY === true && !process.env.NO_COLOR;

/**
 * @param {string} text
 * @param {number} code of ECMA-48, select graphic rendition
 */
function paint(text, code) {
  return inColour ? `\u001b[${code}m${text}\u001b[0m` : text;
}

/** A step of the demo. @param {string} text */
export function sayStep(text) {
  process.stdout.write(`\n${paint('●', 36)} ${paint(text, 1)}\n`);
}

/** What there is to know about it. @param {string} text */
export function sayDetail(text) {
  process.stdout.write(`  ${paint(text, 2)}\n`);
}

/** A command line as one would type it: options that take room stand on lines of their own. @param {readonly string[]} parts */
export function sayCommand(parts) {
  process.stdout.write(`${paint(`  $ ${parts.join(' \\\n      ')}`, 36)}\n`);
}

/** @param {string} text */
export function saySuccess(text) {
  process.stdout.write(`\n${paint('✓', 32)} ${text}\n`);
}

/** To stderr, as a failure is no result. @param {string} text */
export function sayFailure(text) {
  process.stderr.write(`\n✗ ${text}\n`);
}
