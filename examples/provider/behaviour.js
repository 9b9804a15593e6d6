/**
 * Ways in which the example provider fails when asked to, by the name of the model:
 *
 * - `fail-429`, `fail-500`, `fail-400` …: answers that status in the dialect's own error shape
 * - `cut-3`: closes the connection after three frames of a stream, or in the middle of a JSON body
 * - `break-3`: sends the dialect's error frame after three frames of a stream and ends it; plain calls get 500
 * - `hang`: takes the request and never answers
 */

/** A request the provider will not serve; the dialect gives it its shape. */
export class Refusal extends Error {
  /**
   * @param {number} status HTTP status, 400 to 599
   * @param {string} message what the reply's error says
   */
  constructor(status, message) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
  }
}

/**
 * @param {string} model
 * @returns {{ kind: 'serve' } | { kind: 'hang' } | { kind: 'fail', status: number } | { kind: 'cut' | 'break', afterFrames: number }}
 */
export function readBehaviour(model) {
  const [, kind, digits] = /^(fail|cut|break|hang)(?:-(\d+))?/u.exec(model) ?? [];
  const number = Number(digits ?? 3);
  if (kind === 'hang') return { kind };
  if (kind === 'cut' || kind === 'break') return { kind, afterFrames: number };
  if (kind === 'fail' && number >= 400 && number <= 599) return { kind, status: number };
  return { kind: 'serve' };
}

/** @param {number} status */
export function describeStatus(status) {
  if (status === 429) return 'Rate limit reached: this model was asked to say so.';
  if (status >= 500) return 'The server had an error: this model was asked to have one.';
  return 'The request is invalid: this model was asked to think so.';
}
