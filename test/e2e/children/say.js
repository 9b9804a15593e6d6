/** What differs from one answer to the next, whoever asks. */
const passing =
  /^(?:id|created|created_at|completed_at|item_id|call_id|tool_use_id|responseId|createTime|sdkHttpResponse)$/u;

/**
 * Prints a value as one line of JSON, without what no two answers share.
 * @param {string} title
 * @param {unknown} value
 */
export function say(title, value) {
  const text = JSON.stringify(value, (key, member) => (passing.test(key) ? undefined : member));
  process.stdout.write(`${title} ${text}\n`);
}

const ofConnection = new Set(['connection', 'keep-alive', 'transfer-encoding']);

/**
 * Prints the names of a reply's headers, but for those of the connection.
 * @param {string} title
 * @param {Headers} headers
 */
export function sayHeaders(title, headers) {
  say(title, [...headers.keys()].filter((name) => !ofConnection.has(name)).sort());
}

export const weather = {
  name: 'get_weather',
  description: 'The weather in a city, now.',
  schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};
