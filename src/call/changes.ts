/** Told of a try whose reply nobody got, since the router had another that followed. */
export const NOT_PASSED_ON = 'reply: not passed on, the router had the request sent again';

/** Changes told of a request that was not sent after all. */
const ofSending: ReadonlySet<string> = new Set([
  'request: stream_options.include_usage set',
  'request: x-llmtap-cache removed',
]);

/** Tells of an answer in the provider's place, and no longer of what was changed for the provider. */
export function changeUnsent(changes: string[], change: string): void {
  const kept = changes.filter((told) => !ofSending.has(told));
  changes.splice(0, changes.length, ...kept, change);
}
