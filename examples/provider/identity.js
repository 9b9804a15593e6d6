import { randomBytes } from 'node:crypto';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * An id as providers make them: a prefix and letters and digits at random.
 * @param {string} prefix
 * @param {number} length of the part after the prefix
 */
export function makeId(prefix, length) {
  return prefix + Array.from(randomBytes(length), (byte) => alphabet[byte % alphabet.length]).join('');
}

/**
 * @param {string} prefix
 * @param {number} digits
 */
export function makeHexId(prefix, digits) {
  return (
    prefix +
    randomBytes(Math.ceil(digits / 2))
      .toString('hex')
      .slice(0, digits)
  );
}

/** Seconds since the epoch, as OpenAI dates its objects. */
export function nowSeconds() {
  return Math.floor(Date.now() / 1000);
}

/** A model asked for by its short name answers by its dated one, as the real ones do. */
const snapshots = new Map([
  ['gpt-4o', 'gpt-4o-2024-08-06'],
  ['gpt-4o-mini', 'gpt-4o-mini-2024-07-18'],
  ['gpt-4.1-mini', 'gpt-4.1-mini-2025-04-14'],
  ['gpt-5', 'gpt-5-2025-08-07'],
  ['gpt-5-mini', 'gpt-5-mini-2025-08-07'],
  ['claude-sonnet-4-5', 'claude-sonnet-4-5-20250929'],
  ['claude-haiku-4-5', 'claude-haiku-4-5-20251001'],
]);

/** @param {string} model */
export function findSnapshot(model) {
  return snapshots.get(model) ?? model;
}
