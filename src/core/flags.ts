/**
 * Where the values of flags come from. The shape is that of the `variation` of LaunchDarkly's server SDKs, so that a client
 * of theirs is one: `variation(key, context, defaultValue)` of @launchdarkly/node-server-sdk 9.13.7, read 2026-11-27.
 */
export interface FlagSource {
  /** A flag's value for a context, or a promise of it; `fallback` where there is no such flag. */
  variation(flagKey: string, context: object, fallback: unknown): unknown;
}
