import { TrackerError } from '../core/errors.js';
import type { RouterDescription } from '../core/routing.js';
import { MAKERS, makeFactory } from './makers.js';

/** A router as the command line names it: one of ours, a module of the user's, or none. */
export type RouterFlag =
  | { readonly kind: 'described'; readonly description: RouterDescription }
  | { readonly kind: 'module'; readonly path: string }
  | { readonly kind: 'none' };

/** What is read of `NAME:MODELS@NUMBER`. */
interface Spec {
  readonly name: string;
  readonly models: readonly string[];
  /** `undefined` where there is none. */
  readonly number: string | undefined;
}

interface Form {
  /** As it is written, for messages. */
  readonly form: string;
  /** The options; `undefined` where the models are not as many as the form has. */
  readonly options: (spec: Spec) => Readonly<Record<string, unknown>> | undefined;
}

const withSeed = ({ number }: Spec) => (number === undefined ? {} : { seed: number });
const listed = (spec: Spec) => ({ candidates: spec.models, ...withSeed(spec) });

/** How each of ours is written. The number after the last `@` is a seed, or what the form says. */
const FORMS: Readonly<Record<string, Form>> = {
  random: { form: 'random:A,B,…[@SEED]', options: listed },
  fixed: {
    form: 'fixed:A',
    options: ({ models, number }) => (models.length === 1 && number === undefined ? { model: models[0] } : undefined),
  },
  roundRobin: {
    form: 'roundRobin:A,B,…',
    options: ({ models, number }) => (number === undefined ? { candidates: models } : undefined),
  },
  weighted: { form: 'weighted:A=3,B=1,…[@SEED]', options: readWeights },
  firstCall: {
    form: 'firstCall:FIRST,REST[@CALLS]',
    options: ({ models: [first, rest, ...more], number }) =>
      rest === undefined || more.length > 0 ? undefined : { first, rest, ...readNumber('calls', number) },
  },
  byLength: {
    form: 'byLength:SHORT,LONG@CHARS',
    options: ({ models: [short, long, ...more], number }) =>
      long === undefined || more.length > 0 ? undefined : { short, long, ...readNumber('chars', number) },
  },
  fallback: {
    form: 'fallback:A,B,…[@TIMEOUT_MS]',
    options: ({ models, number }) => ({ candidates: models, ...readNumber('timeoutMs', number) }),
  },
  epsilonGreedy: { form: 'epsilonGreedy:A,B,…[@SEED]', options: listed },
  thompson: { form: 'thompson:A,B,…[@SEED]', options: listed },
};

/**
 * Reads `--router`: `NAME:MODELS[@NUMBER]` or `{"name":…,"options":…}` for a router of ours, `none`, or the path of a module.
 * Throws `OPTION_INVALID`.
 *
 * ```ts
 * readRouterFlag('random:gpt-4o,gpt-4o-mini@42')
 * // { kind: 'described', description: { name: 'random', options: { candidates: ['gpt-4o', 'gpt-4o-mini'], seed: '42' } } }
 * readRouterFlag('./my-router.mjs')   // { kind: 'module', path: './my-router.mjs' }
 * ```
 *
 * A name that itself ends with `@` and a number, as Vertex AI's do, takes one more `@`: `fixed:claude-sonnet-4@20250514@`.
 */
export function readRouterFlag(text: string): RouterFlag {
  if (text === 'none') return { kind: 'none' };
  const description = text.startsWith('{') ? readJson(text) : readSpec(text);
  if (description === undefined) {
    if (/^\.{0,2}[/\\]|^[a-z]:[/\\]|\.[cm]?js$/i.test(text)) return { kind: 'module', path: text };
    throw refuse(
      text,
      'it names no router',
      `There are: ${listForms()}; a module is named by its path, as ./router.mjs.`,
    );
  }
  // What is wrong with it is told now, rather than when a session is opened.
  makeFactory(description, { freshSeed: () => '' });
  return { kind: 'described', description };
}

function readSpec(text: string): RouterDescription | undefined {
  const [, name = '', rest = ''] = /^([a-z]+)(?::(.*))?$/is.exec(text) ?? [];
  const form = Object.hasOwn(FORMS, name) ? FORMS[name] : undefined;
  if (form === undefined) return undefined;
  const [, list = rest, number] = /^(.*)@([^@,]*)$/s.exec(rest) ?? [];
  const models = list.split(',').map((model) => model.trim());
  const options = form.options({ name, models, number: number === '' ? undefined : number });
  if (options === undefined || models.includes(''))
    throw refuse(text, `it is not as ${form.form}`, `Write ${form.form}.`);
  return { name, options };
}

function readWeights({ models, ...spec }: Spec): Readonly<Record<string, unknown>> | undefined {
  const candidates = models.map((model) => {
    const at = model.lastIndexOf('=');
    return { choice: at === -1 ? model : model.slice(0, at), weight: at === -1 ? 1 : Number(model.slice(at + 1)) };
  });
  return { candidates, ...withSeed({ ...spec, models }) };
}

/** What is no number is kept as it is, and refused by the router it is for. */
function readNumber(name: string, number: string | undefined): Readonly<Record<string, unknown>> {
  if (number === undefined) return {};
  return { [name]: /^\d+$/.test(number) ? Number(number) : number };
}

/** NOTE: never quotes what stands in it, for it may hold a key. */
function readJson(text: string): RouterDescription {
  try {
    return JSON.parse(text) as RouterDescription;
  } catch {
    throw refuse('{…}', 'it is no JSON', 'Write {"name": "random", "options": {"candidates": ["A", "B"]}}.');
  }
}

function listForms(): string {
  return Object.keys(MAKERS)
    .map((name) => FORMS[name]?.form ?? name)
    .join(', ');
}

function refuse(text: string, problem: string, hint: string): TrackerError {
  return new TrackerError(
    'OPTION_INVALID',
    `The value "${text.slice(0, 200)}" of --router cannot be used: ${problem}.`,
    {
      hint,
    },
  );
}
