import { readErrorMessage } from '../core/errors.js';
import { copyPlainData, isPlainObject } from '../core/plain-copy.js';

/** What a template may name. */
export type Variables = Readonly<Record<string, unknown>>;

/** Renders one template. One that is malformed stays as it is, and why is told. */
export type Interpolate = (template: string, onMalformed: (reason: string) => void) => string;

export interface InterpolationOptions {
  readonly variables: Variables | null;
  /** A template finds it as `ldctx`, whatever variable has that name. */
  readonly context: object;
}

/**
 * Makes what renders templates of Mustache, of which nothing is escaped, `{{x}}` and `{{{x}}}` alike, for prompts are no
 * HTML. A name that is unknown renders empty, one that every object of JavaScript has included. Variables are read as they
 * are now. Loads the package on use.
 *
 * @example
 * const interpolate = await openInterpolation({ variables: { name: 'Ann' }, context: { key: 'u1' } });
 * interpolate('Hi {{name}}, {{ldctx.key}}{{missing}}', onMalformed); // 'Hi Ann, u1'
 */
export async function openInterpolation({ variables, context }: InterpolationOptions): Promise<Interpolate> {
  const { default: mustache } = await import('mustache');
  // Its cache would keep every template for good; mustache 4.2.0 does without where it is undefined.
  const writer = Object.assign(new mustache.Writer(), { templateCache: undefined });
  const view = makeView({ ...variables, ldctx: context });
  return (template, onMalformed) => {
    if (!template.includes('{{')) return template;
    try {
      return writer.render(template, view, undefined, { escape: (value) => value });
    } catch (error) {
      onMalformed(readErrorMessage(error));
      return template;
    }
  };
}

/**
 * Behind every object and list a template can reach: mustache looks names up with `in`, and would find `constructor` and
 * the like. A name of it is a symbol, which no template can ask for.
 */
const bare: object = Object.freeze(
  Object.create(null, {
    [Symbol.toPrimitive]: {
      value(this: unknown): string {
        return Array.isArray(this) ? Array.prototype.join.call(this, ',') : '[object Object]';
      },
    },
  }),
) as object;

function makeView(variables: Variables): object {
  const view = copyPlainData(variables);
  const seen = new Set<object>([view]);
  for (const part of seen) {
    for (const inner of Object.values(part) as readonly unknown[]) {
      if (Array.isArray(inner) || isPlainObject(inner)) seen.add(inner);
    }
  }
  for (const part of seen) Object.setPrototypeOf(part, bare);
  return view;
}
