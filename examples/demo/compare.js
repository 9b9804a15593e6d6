/**
 * Holds what llmtap recorded against what the provider billed.
 *
 * @typedef {import('../provider/provider.js').SeenRequest} SeenRequest
 */

/**
 * Every way in which the two disagree, as sentences; none when each billed call is on record once with the numbers of
 * its bill. A count that a dialect does not state cannot be compared.
 *
 * @param {readonly SeenRequest[]} requests
 * @param {readonly any[]} records as `llmtap calls --json` prints them
 * @returns {string[]}
 */
export function findDifferences(requests, records) {
  const billed = requests.filter((request) => request.bill !== null);
  const ids = new Set(billed.map((request) => request.responseId));
  return [
    ...billed.flatMap((request) => compare(request, records)),
    ...records
      .filter((record) => !ids.has(record.responseId))
      .map((record) => `The record ${record.callId} is of a call that the provider did not bill.`),
  ];
}

/**
 * @param {SeenRequest} request
 * @param {readonly any[]} records
 * @returns {string[]}
 */
function compare(request, records) {
  const name = `The ${request.api} call ${request.responseId}`;
  const found = records.filter((record) => record.responseId === request.responseId);
  if (found.length !== 1) return [`${name} was billed once and is on record ${found.length} times.`];
  const [record] = found;
  const problems = record.outcome === 'ok' ? [] : [`${name} is on record as ${record.outcome}, but it went well.`];
  for (const [count, billed] of Object.entries(request.bill ?? {})) {
    const recorded = record.usage[count];
    if (billed !== null && recorded !== billed) {
      problems.push(`${name} was billed ${billed} ${count}, and ${recorded} are on record (${record.usageProblem}).`);
    }
  }
  return problems;
}

/**
 * @param {readonly SeenRequest[]} requests
 * @returns {number} input and output tokens of all of them
 */
export function sumTokens(requests) {
  return requests.reduce((sum, { bill }) => sum + (bill?.inputTokens ?? 0) + (bill?.outputTokens ?? 0), 0);
}
