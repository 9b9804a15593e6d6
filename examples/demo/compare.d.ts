import type { SeenRequest } from '../provider/provider.js';

/** What of a request the bills are compared by. */
export type BilledRequest = Pick<SeenRequest, 'api' | 'responseId' | 'bill'>;

export function findDifferences(requests: readonly BilledRequest[], records: readonly unknown[]): string[];

export function sumTokens(requests: readonly SeenRequest[]): number;
