/**
 * The "model" behind the example provider: what it says, and how many tokens that is.
 *
 * Everything follows from the request alone, so that whoever recorded a call can be checked against what was
 * billed: a token is a word (anything between white space), the same request gets the same answer and the same
 * bill, streamed or not.
 *
 * @typedef {import('./provider.js').Ask} Ask
 * @typedef {import('./provider.js').Answer} Answer
 * @typedef {import('./provider.js').Bill} Bill
 */

const maxWords = 100_000;

/**
 * The number of words in a text.
 * @param {string} text
 */
export function countTokens(text) {
  let count = 0;
  let inWord = false;
  for (let index = 0; index < text.length; index += 1) {
    const isSpace = text.charCodeAt(index) <= 32;
    if (!isSpace && !inWord) count += 1;
    inWord = !isSpace;
  }
  return count;
}

/**
 * The number of words in every string of a JSON value; property names, numbers and booleans are free.
 * @param {unknown} value
 * @returns {number}
 */
export function countTokensWithin(value) {
  if (typeof value === 'string') return countTokens(value);
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((sum, item) => sum + countTokensWithin(item), 0);
}

/**
 * Cuts a text into pieces of one word, each with the white space before it: joined they are the text.
 * @param {string} text
 */
export function splitTokens(text) {
  return text === '' ? [] : text.split(/(?=\s\S)/u);
}

/**
 * What the model says: a call of the first tool when tools are offered, else a sentence about what it was told.
 * A model named `words-N` says N words.
 * @param {Ask} ask
 * @returns {Answer}
 */
export function answerTo(ask) {
  const said = countTokens(ask.lastText);
  const thought = ask.thinks ? `The last message has ${said} words, so a short reply will do.` : '';
  if (ask.tool !== null && ask.toolResult === null) {
    return { thought, text: '', toolCall: { name: ask.tool.name, input: makeInput(ask.tool.schema, ask.lastText) } };
  }
  return {
    thought,
    text: ask.toolResult === null ? comment(ask, said) : `The tool says ${ask.toolResult}`,
    toolCall: null,
  };
}

/**
 * Cuts an answer to the most tokens its asker allows.
 * @param {Ask} ask
 * @param {Answer} answer
 * @returns {Answer & { isCut: boolean }}
 */
export function limitAnswer(ask, answer) {
  const room = Math.max((ask.maxTokens ?? Infinity) - countTokens(answer.thought), 1);
  const pieces = splitTokens(answer.text);
  if (pieces.length <= room) return { ...answer, isCut: false };
  return { ...answer, text: pieces.slice(0, room).join(''), isCut: true };
}

/**
 * What the call costs, in the vocabulary of llmtap's record: input includes cache reads and writes, output
 * includes reasoning. System prompt and tools are the part that can be cached: written in the first turn of a
 * conversation, read in every later one.
 * @param {Ask} ask
 * @param {Answer} answer
 * @returns {Bill}
 */
export function billFor(ask, answer) {
  const stable = countTokensWithin(ask.stable);
  const inputTokens = stable + countTokensWithin(ask.turns);
  const reasoningTokens = countTokens(answer.thought);
  const outputTokens = reasoningTokens + countTokens(answer.text) + countTokensWithin(answer.toolCall);
  return {
    inputTokens,
    outputTokens,
    cacheReadTokens: ask.isCached && ask.hasAnswered ? stable : 0,
    cacheWriteTokens: ask.isCached && !ask.hasAnswered ? stable : 0,
    reasoningTokens,
    totalTokens: inputTokens + outputTokens,
  };
}

/**
 * @param {Ask} ask
 * @param {number} said
 */
function comment(ask, said) {
  const wanted = /^words-(\d+)/u.exec(ask.model)?.[1];
  if (wanted !== undefined) {
    return Array.from({ length: Math.min(Number(wanted), maxWords) }, (_, index) => `word${index + 1}`).join(' ');
  }
  const first = /\S+/u.exec(ask.lastText)?.[0] ?? '';
  return `You wrote ${said} ${said === 1 ? 'word' : 'words'}, the first of them “${first}”. That is all I know. ☺`;
}

/**
 * Arguments that fit a JSON schema: the last word of what was said for a string, the simplest value else.
 * @param {any} schema
 * @param {string} text
 * @returns {unknown}
 */
function makeInput(schema, text) {
  if (Array.isArray(schema?.enum)) return schema.enum[0];
  // NOTE: Gemini writes its types in upper case.
  const type = String(schema?.type ?? 'object').toLowerCase();
  if (type === 'string') return /(\S+?)[.?!]*$/u.exec(text.trim())?.[1] ?? 'nothing';
  if (type === 'number' || type === 'integer') return 1;
  if (type === 'boolean') return true;
  if (type === 'array') return [];
  const properties = Object.entries(schema?.properties ?? {});
  return Object.fromEntries(properties.map(([name, property]) => [name, makeInput(property, text)]));
}
