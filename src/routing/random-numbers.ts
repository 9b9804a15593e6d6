/** Numbers from 0 up to, not including, 1. */
export type RandomNumbers = () => number;

/**
 * Random numbers that are the same for the same seed, on every machine. Not for secrets. The generator is sfc32 of PractRand
 * (public domain, https://pracrand.sourceforge.net, read 2026-11-27), seeded by a hash of the text (FNV-1a, then the
 * finaliser of MurmurHash3, both public domain).
 */
export function openRandomNumbers(seed: string): RandomNumbers {
  let [a, b, c, counter] = [hash(seed, 1), hash(seed, 2), hash(seed, 3), 1];
  const next = (): number => {
    const mixed = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + mixed) | 0;
    return (mixed >>> 0) / 2 ** 32;
  };
  // The first numbers still show the seed.
  for (let i = 0; i < 12; i++) next();
  return next;
}

function hash(text: string, salt: number): number {
  let h = 0x811c9dc5 ^ salt;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
}

/** One of a list that is not empty. */
export function pickOne<T>(list: readonly [T, ...T[]], random: RandomNumbers): T {
  return list[Math.floor(random() * list.length)] ?? list[0];
}

/** A draw from the standard normal distribution, by the polar method of Marsaglia. */
function drawNormal(random: RandomNumbers): number {
  for (;;) {
    const x = 2 * random() - 1;
    const y = 2 * random() - 1;
    const square = x * x + y * y;
    if (square > 0 && square < 1) return x * Math.sqrt((-2 * Math.log(square)) / square);
  }
}

/** A draw from a gamma distribution of scale 1. Source: Marsaglia and Tsang, doi:10.1145/358407.358414; `shape` from 1. */
function drawGamma(shape: number, random: RandomNumbers): number {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = drawNormal(random);
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    const u = 1 - random();
    if (Math.log(u) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** A draw from a beta distribution; both parameters from 1. */
export function drawBeta(alpha: number, beta: number, random: RandomNumbers): number {
  const x = drawGamma(alpha, random);
  return x / (x + drawGamma(beta, random));
}
