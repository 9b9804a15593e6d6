import type { Usage } from '../core/usage.js';
import type { ReplyHead } from '../core/wire.js';
import type { ReplyLanguage } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';

/**
 * How a reply's body is cut into documents: `lines` is one JSON value to a line, `media` holds none, `messages` are a
 * WebSocket's or those of a stream of gRPC, `message` the one of a reply of gRPC.
 */
export type Framing = 'json' | 'array' | 'sse' | 'aws-events' | 'lines' | 'media' | 'messages' | 'message';

/** What became of a reply's bytes. */
export interface ReadingOutcome {
  readonly head: ReplyHead;
  /** `null` when no byte told. */
  readonly framing: Framing | null;
  readonly bytes: number;
  /** JSON documents read. */
  readonly documents: number;
  /** Frames that held no JSON object. */
  readonly unreadable: number;
  /** The first thing the reader of the bytes complained of, as a sentence or clause. */
  readonly problem: string | null;
  /** Keys of the last document. */
  readonly keys: readonly string[];
  /** The last running count of output tokens, when it is not taken for final. */
  readonly runningOutput: number | null;
}

const SHOWN_KEYS = 12;
const SHOWN_CHARS = 40;

/**
 * Says in one sentence why input or output is unknown: what was looked for and what was found. `null` when both
 * are known.
 */
export function explainUsage(
  usage: Usage,
  sources: { readonly notes: ReplyNotes; readonly language: ReplyLanguage },
  outcome: ReadingOutcome,
): string | null {
  if (usage.inputTokens !== null && usage.outputTokens !== null) return null;
  const { notes, language } = sources;
  return (
    explainReply(outcome) ??
    (language.noUsage === undefined ? null : sentence(language.noUsage)) ??
    explainCounts(usage, sources, outcome) ??
    explainAbsence(notes, language, outcome) ??
    'The usage of the reply could not be read.'
  );
}

function explainReply(outcome: ReadingOutcome): string | null {
  const { head, framing, documents, problem } = outcome;
  if (head.status >= 400) return `The provider answered with status ${head.status}.`;
  if (framing === 'messages' || framing === 'message')
    return documents === 0 ? (problem ?? 'No message of the reply came.') : null;
  if (outcome.bytes === 0) return 'The reply had no body.';
  if (framing === null) return `The reply held nothing but white space (${outcome.bytes} bytes).`;
  if (documents > 0) return null;
  const type = `content type ${head.contentType?.slice(0, SHOWN_CHARS * 2) ?? 'none'}`;
  if (framing === 'media') return `The reply is no text (${type}), and states no usage.`;
  const isEvents = framing === 'sse' || framing === 'aws-events';
  if (isEvents && outcome.unreadable > 0)
    return `None of the ${outcome.unreadable} events of the stream held a JSON object (${type}).`;
  if (isEvents) return `The stream held no event (${outcome.bytes} bytes, ${type})${clause(problem)}.`;
  return `The reply could not be read as JSON (${outcome.bytes} bytes, ${type})${clause(problem)}.`;
}

function explainCounts(
  usage: Usage,
  { notes, language }: { readonly notes: ReplyNotes; readonly language: ReplyLanguage },
  outcome: ReadingOutcome,
): string | null {
  const sources = language.listSources(notes.counts);
  const needed = [
    ...(usage.inputTokens === null ? sources.input : []),
    ...(usage.outputTokens === null ? sources.output : []),
  ];
  const unclear = notes.counts.isEmpty ? undefined : language.explainUnclear?.(notes.counts);
  if (unclear !== undefined) return sentence(unclear);
  const bad = notes.counts.findBad(needed);
  if (bad !== undefined) return `A token count was expected in ${bad.name}, but ${bad.found} was found.`;
  if (notes.badUsage !== null) return `A usage object was expected, but ${notes.badUsage} was found.`;
  if (language.noOutput !== null && usage.inputTokens !== null) return sentence(language.noOutput);
  if (outcome.runningOutput !== null)
    return `The stream ended before its final usage; its last running count of output tokens was ${outcome.runningOutput}.`;
  const isCounted = !notes.counts.isEmpty || Object.keys(notes.amounts).length > 0;
  if (!isCounted || notes.error !== null) return null;
  if (language.noTokens !== undefined && usage.inputTokens === null && usage.outputTokens === null)
    return sentence(language.noTokens);
  const missing = [usage.inputTokens === null && 'input', usage.outputTokens === null && 'output'].filter(Boolean);
  return `Looked for ${language.lookedFor}, but the ${missing.join(' and ')} tokens were not stated.`;
}

function explainAbsence(notes: ReplyNotes, language: ReplyLanguage, outcome: ReadingOutcome): string | null {
  if (notes.error !== null)
    return `The provider reported the error ${notes.error.code.slice(0, SHOWN_CHARS)} and no final usage.`;
  if (notes.pending !== null && outcome.framing === 'json')
    return `The reply says "${notes.pending}": its usage is not known yet.`;
  if (outcome.framing === 'message') return `Looked for ${language.lookedFor}, but the reply does not state them.`;
  if (outcome.framing === 'json' || (outcome.framing === 'lines' && outcome.documents === 1))
    return `Looked for ${language.lookedFor}, but the reply has only ${listKeys(outcome.keys)}.`;
  const looked = `Looked for ${language.lookedFor} in ${outcome.documents} frames`;
  if (outcome.problem !== null) return `${looked}, but some could not be read${clause(outcome.problem)}.`;
  if (!notes.settled) return `${looked}, but the stream ended before its usage.`;
  const hint = language.streamHint === null ? '' : `; ${language.streamHint}`;
  return `${looked}, but none carried it${hint}.`;
}

function listKeys(keys: readonly string[]): string {
  if (keys.length === 0) return 'no keys';
  const shown = keys.slice(0, SHOWN_KEYS).map((key) => key.slice(0, SHOWN_CHARS));
  return `${shown.join(', ')}${keys.length > SHOWN_KEYS ? ' …' : ''}`;
}

function clause(problem: string | null): string {
  return problem === null ? '' : `: ${problem.replace(/\.$/, '')}`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
