import type { CallFilter } from '../core/ledger.js';
import { checkNames, checkShapes, requireObject, type Shape, type Shapes } from '../core/option-checks.js';
import { id, orNull, wholeNumber } from './scope-ids.js';

const filterShapes: Readonly<Record<keyof CallFilter, Shape>> = {
  ...{ runId: id, sessionId: id, configKey: orNull(id), graphKey: orNull(id), graphRunId: orNull(id) },
  ...{ dataId: orNull(id), comboId: orNull(id), agentId: orNull(id) },
};
const listShapes: Shapes = {
  limit: wholeNumber,
  bodies: { wanted: 'true or false', isRight: (value) => typeof value === 'boolean' },
};

/** Checks what a query asks for: a filter by nothing would give every call. Throws `OPTION_INVALID`. */
export function checkQuery(filter: CallFilter, options: object = {}): void {
  const given = requireObject(filter, 'a filter');
  checkNames(given, Object.keys(filterShapes), 'a filter');
  checkShapes(given, filterShapes);
  const listing = requireObject(options, 'a list of calls');
  checkNames(listing, Object.keys(listShapes), 'a list of calls');
  checkShapes(listing, listShapes);
}
