// What routers and budgets add to a call: sessions with and without them behind one tap, in turns. By the lower quartile:
// it is some hundredths of a millisecond, which the noise of a median hides.
import { askAtOnce, askInSequence, openProxied, quantile } from './measure.js';

const kinds = ['random', 'byLength', 'budget'];

/** Milliseconds added to the lower quartile of a JSON call of 3 KB, one at a time: by a seeded router, one that reads, a budget. */
export async function measureRouting(tap, { calls, rounds }) {
  const plain = await openWay(tap, 'plainSession');
  const ways = {};
  for (const kind of kinds) ways[kind] = await openWay(tap, `${kind}Session`);
  const all = [['plain', plain], ...Object.entries(ways)];
  const times = Object.fromEntries(all.map(([name]) => [name, []]));
  for (const [, way] of all) await askAtOnce(way, calls, 4);
  for (let i = 0; i < rounds; i++) {
    for (let k = 0; k < all.length; k++) {
      const [name, way] = all[(i + k) % all.length];
      times[name].push(...(await askInSequence(way, calls)));
    }
  }
  for (const [, way] of all) await way.close();
  const quartile = (name) => quantile(times[name], 0.25);
  return Object.fromEntries(kinds.map((kind) => [kind, quartile(kind) - quartile('plain')]));
}

async function openWay(tap, question) {
  return openProxied({ ca: tap.ca, port: (await tap.ask(question)).port });
}
