import { type Cost, type PriceableCall, unknownCost } from '../core/cost.js';
import { readErrorMessage } from '../core/errors.js';
import type { Pricer } from '../pricing/price-call.js';
import type { PriceFile } from '../pricing/price-file.js';

/** Reads the user's own prices, and leaves the rest for later. Throws `PRICES_INVALID`. */
export async function openPrices(path: string | undefined): Promise<Prices> {
  if (path === undefined) return new Prices(null);
  const { readPriceFile } = await import('../pricing/price-file.js');
  return new Prices(readPriceFile(path));
}

/**
 * What calls cost, loaded in two steps, neither of them while a host opens: the code with the engine of the proxy, so that
 * no call is served without, and the list in the background or, at the latest, by the first record.
 */
export class Prices {
  readonly #file: PriceFile | null;
  #pricer: Pricer | null = null;
  #problem = 'The prices were not loaded.';

  constructor(file: PriceFile | null) {
    this.#file = file;
  }

  /** Never rejects: calls go on without a price. */
  async load(): Promise<void> {
    try {
      const { openPricer } = await import('../pricing/price-call.js');
      this.#pricer ??= openPricer(this.#file);
    } catch (error) {
      this.#problem = `The prices could not be loaded: ${readErrorMessage(error)}.`;
    }
  }

  /** Parses the list, which takes some 30 ms. */
  warm(): void {
    this.#pricer?.load();
  }

  price(call: PriceableCall): Cost {
    if (this.#pricer !== null) return this.#pricer.price(call);
    return { ...unknownCost, problem: this.#problem, reportedUsd: call.reportedUsd };
  }
}
