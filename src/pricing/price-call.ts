import type { Cost, PriceableCall, PriceCall } from '../core/cost.js';
import { readErrorMessage } from '../core/errors.js';
import { loadPriceList } from './genai-prices.js';
import { priceByFile } from './price-by-file.js';
import { priceByList } from './price-by-list.js';
import type { PriceFile } from './price-file.js';
import { makeUnpriced, type Priced } from './priced.js';
import { findContradiction } from './usage-sense.js';

export interface Pricer {
  /** As `PriceCall` has it. Loads the list when that has not been done. */
  readonly price: PriceCall;
  /** Loads the list, so that the first call's record does not have to. */
  load(): void;
}

/** A pricer over the user's own prices, which come first, and the list. */
export function openPricer(file: PriceFile | null): Pricer {
  return {
    price: (call) => makeCost(call, tryToPrice(file, call)),
    load() {
      try {
        loadPriceList();
      } catch {
        // Said by the problem of every call.
      }
    },
  };
}

function tryToPrice(file: PriceFile | null, call: PriceableCall): Priced {
  try {
    const contradiction = findContradiction(call.usage, call.usageDetails);
    if (contradiction !== null) return makeUnpriced(contradiction);
    // At the price of a model of its own, which a record's one basis cannot state.
    if ((call.usageDetails?.advisorInputTokens ?? 0) + (call.usageDetails?.advisorOutputTokens ?? 0) > 0)
      return makeUnpriced('Another model was asked for advice, whose tokens have a price of their own.');
    return (file === null ? undefined : priceByFile(file, call)) ?? priceByList(loadPriceList(), call);
  } catch (error) {
    return makeUnpriced(`The price could not be found: ${readErrorMessage(error)}.`);
  }
}

/** What a reply from a cache would have cost is saved: it cost nothing, whether or not that price is known. */
function makeCost({ cached, reportedUsd }: PriceableCall, priced: Priced): Cost {
  return Object.freeze({
    usd: cached ? 0 : priced.usd,
    problem: priced.usd === null ? priced.problem : null,
    basis: priced.usd === null ? null : priced.basis,
    savedUsd: cached ? priced.usd : null,
    reportedUsd,
  });
}
