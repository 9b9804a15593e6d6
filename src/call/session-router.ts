import { type ErrorCode, readErrorMessage } from '../core/errors.js';
import { readRouteAnswer } from '../core/route-answer.js';
import type { AskRouter, RouteAnswer, RouteDecision, RouteQuestion } from '../core/routing.js';
import { redactText } from './redaction.js';
import type { SecretSet } from './secrets.js';

const maxQuotedChars = 200;

const wantedAnswer = "Let it return a model's name, { model, … } as RouteDecision has it, or null for as asked.";

/** Longer requests are not searched for what an error may quote of them. */
const maxSearchedChars = 256 * 1024;
/** So many characters in a row that the request has too are a quotation. */
const quotationChars = 12;

export type RouterFault = (code: ErrorCode, message: string, hint: string | null) => void;

export interface SessionRouterOptions {
  readonly ask: AskRouter;
  /** Asked instead, of a router of ours: it answers at once and throws nothing. */
  readonly answer?: (question: RouteQuestion) => RouteAnswer;
  readonly deadlineMs: number;
  readonly onFault: RouterFault;
  /** Whether it looks at the request; it does when absent. */
  readonly readsRequest?: boolean;
}

/** What kept a call as asked: told once a session, whatever the call. */
export interface RoutingObstacle {
  readonly kind: string;
  /** The rest of "could not be routed because …". */
  readonly why: string;
}

/** The router of one session: asked for the model of each call, and what it cannot answer told once of each kind. */
export class SessionRouter {
  readonly #options: SessionRouterOptions;
  readonly #told = new Set<string>();

  constructor(options: SessionRouterOptions) {
    this.#options = options;
  }

  get readsRequest(): boolean {
    return this.#options.readsRequest ?? true;
  }

  /** What a router of ours decided; `null` for as asked, `undefined` for a router that has to be asked by `choose`. */
  answer(question: RouteQuestion): RouteDecision | null | undefined {
    const answer = this.#options.answer?.(question);
    if (answer === undefined) return undefined;
    const reading = readRouteAnswer(answer);
    return reading.ok ? reading.decision : null;
  }

  /**
   * What the router decided; `null` for as asked, which is also what comes of a router that fails. Never rejects. Once
   * `signal` is aborted the answer is `null` and no failure is told.
   *
   * @param findSecrets those of the environment and the call, which what a router throws may quote
   */
  choose(question: RouteQuestion, signal: AbortSignal, findSecrets: () => SecretSet): Promise<RouteDecision | null> {
    const { ask, deadlineMs } = this.#options;
    if (signal.aborted) return Promise.resolve(null);
    const call = `${question.provider} ${question.api}`;
    return new Promise((resolve) => {
      const settle = (decision: RouteDecision | null): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        resolve(decision);
      };
      let isLate = false;
      const fail = (kind: string, what: () => string, hint: string): void => {
        settle(null);
        if (isLate || signal.aborted) return;
        this.#tell(kind, () => `The router ${what()}, asked for the model of a call to ${call}.`, hint);
      };
      const onAbort = (): void => settle(null);
      signal.addEventListener('abort', onAbort);
      const timer = setTimeout(() => {
        const what = `had not answered after ${deadlineMs} ms`;
        fail('late', () => what, 'Let it answer sooner, or give it longer by routerDeadlineMs.');
        isLate = true;
      }, deadlineMs);
      askSafely(ask, question).then(
        (answer) => {
          const reading = readRouteAnswer(answer);
          if (reading.ok) settle(reading.decision);
          else fail('no name', () => `answered with ${reading.problem}`, wantedAnswer);
        },
        (error: unknown) => {
          const what = () => `threw ${this.#describe(error, question, findSecrets())}`;
          fail('threw', what, 'Let it return null where it cannot choose.');
        },
      );
    });
  }

  tellObstacle({ kind, why }: RoutingObstacle): void {
    this.#tell(kind, () => `A call could not be routed because ${why}.`, null);
  }

  #tell(kind: string, message: () => string, hint: string | null): void {
    if (this.#told.has(kind)) return;
    this.#told.add(kind);
    const rest = 'The call goes as asked; this is told once a session.';
    this.#options.onFault('ROUTER_FAILED', `${message()} ${rest}`, hint);
  }

  /** What was thrown may quote the request, as the errors of `JSON.parse` do: that is left out. */
  #describe(error: unknown, { request }: RouteQuestion, secrets: SecretSet): string {
    const thrown = error instanceof Error || typeof error === 'string' ? readErrorMessage(error) : '';
    const [line = ''] = thrown.split('\n', 1);
    const plain = line.slice(0, 10 * maxQuotedChars).replace(/"(?:[^"\\]|\\.)*(?:"|$)/g, '"…"');
    const message = redactText(plain, secrets).slice(0, maxQuotedChars);
    const name = error instanceof Error ? error.name : 'something';
    return message === '' || quotes(message, JSON.stringify(request)) ? name : `${name}: ${message}`;
  }
}

function quotes(message: string, text: string): boolean {
  if (text.length > maxSearchedChars) return true;
  for (let at = 0; at + quotationChars <= message.length; at++) {
    if (text.includes(message.slice(at, at + quotationChars))) return true;
  }
  return false;
}

/** Also of a router that throws at once, or answers without a promise. */
function askSafely(ask: AskRouter, question: RouteQuestion): Promise<unknown> {
  return new Promise((resolve) => resolve(ask(question)));
}
