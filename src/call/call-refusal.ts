import type { Answer } from './call.js';
import type { WireTools } from './ports.js';

/** Who says no to a call, and in which words. */
export interface CallRefusal {
  readonly code: 'BUDGET_EXCEEDED';
  /** As its client gets it. */
  readonly message: string;
}

export function makeBudgetRefusal(reason: string): CallRefusal {
  return { code: 'BUDGET_EXCEEDED', message: `llmtap refused this call: ${reason}.` };
}

/** Gives a refusal as the provider would have given it, and asks nobody. */
export function answerWithRefusal(refusal: ReturnType<WireTools['makeRefusal']>): Answer {
  const { status, statusMessage, rawHeaders, body } = refusal;
  return {
    answer: (handler) => {
      // It is here as a whole: there is nothing to slow down.
      handler.onStart({ pause: () => undefined, resume: () => undefined, abort: () => undefined });
      handler.onHead(status, statusMessage, rawHeaders, body.length === 0);
      if (body.length > 0) handler.onData(body);
      handler.onEnd([]);
    },
  };
}
