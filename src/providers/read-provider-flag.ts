import type { ProviderRegistration } from '../core/wire.js';
import { DIALECTS, quote, readRegistration, refuse, refuseOf } from './registration.js';

/**
 * Reads a registration as the command line and the environment write it: `NAME=BASE_URL`, or
 * `NAME+DIALECT=BASE_URL` for a dialect other than `openai`. Throws `PROVIDER_INVALID`.
 *
 * ```ts
 * readProviderFlag('ollama=http://localhost:11434')                 // { name: 'ollama', baseUrl: … }
 * readProviderFlag('gateway+anthropic=https://llm.example/claude')  // { …, dialect: 'anthropic' }
 * ```
 */
export function readProviderFlag(text: string): ProviderRegistration {
  const at = text.indexOf('=');
  if (at === -1) throw refuse('it has no "="', 'Write NAME=BASE_URL, for example ollama=http://localhost:11434.');
  const [name = '', dialect, ...more] = text.slice(0, at).trim().split('+');
  if (more.length > 0) throw refuse('it names more than one dialect', 'Write NAME+DIALECT=BASE_URL.');
  const found = DIALECTS.find((known) => known === dialect);
  if (dialect !== undefined && found === undefined)
    throw refuseOf(name, `its dialect is ${quote(dialect)}`, `Dialects are ${DIALECTS.join(', ')}.`);
  const registration = { name, baseUrl: text.slice(at + 1).trim(), ...(found === undefined ? {} : { dialect: found }) };
  readRegistration(registration);
  return registration;
}
