import type { SeenRequest } from '../provider/provider.js';

export function findDifferences(requests: readonly SeenRequest[], records: readonly unknown[]): string[];

export function sumTokens(requests: readonly SeenRequest[]): number;
