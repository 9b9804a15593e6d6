import type { OpeningRequest } from './marks.js';

export function makeConnectHeaders(
  _options: Readonly<Record<string, unknown>>,
  _host: string,
  _request: OpeningRequest | undefined,
): readonly string[] {
  return ['llmtap-client: in-process'];
}

export function makeUpstreamError(_reply: string): Error | undefined {
  return undefined;
}
