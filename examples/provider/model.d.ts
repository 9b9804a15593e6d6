import type { Answer, Ask, Bill } from './provider.js';

export function countTokens(text: string): number;
export function countTokensWithin(value: unknown): number;
export function splitTokens(text: string): string[];
export function answerTo(ask: Ask): Answer;
export function limitAnswer(ask: Ask, answer: Answer): Answer & { readonly isCut: boolean };
export function billFor(ask: Ask, answer: Answer): Bill;
