import { makeInvalid } from './option-checks.js';

/** The file of a recording by its name: `NAME.jsonl`. Throws `OPTION_INVALID` for what is no name. */
export function makeCassetteFileName(name: string): string {
  if (/^\w[\w. -]{0,119}$/.test(name) && !/[. ]$/.test(name)) return `${name}.jsonl`;
  throw makeInvalid('the name of a recording', name, 'letters, digits, spaces, dots, - and _, at most 120 of them');
}
