import type { Call, Reply } from '../provider.js';

export function answerResponse(call: Call): Reply;
