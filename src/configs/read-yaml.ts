import type { Document } from 'yaml';

/** A document that is no YAML; the message says where, and never what stands there. */
export class YamlProblem extends Error {}

/** Of a document whose aliases stand for more than that nobody says what it would grow to. */
const mostAliases = 100;

/** Reads one document of YAML 1.2 as plain data. Loads the package on use. Rejects with `YamlProblem`. */
export async function readYaml(text: string): Promise<unknown> {
  const yaml = await import('yaml');
  const lineCounter = new yaml.LineCounter();
  // Pretty errors would quote the line, which may hold what is nobody else's to read. The package (2.9.1) compares each key
  // of a map with all before it, which takes 20 s for 40,000 of them: that is done below.
  const document = yaml.parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false });
  const [error] = document.errors;
  const problem = error === undefined ? findDuplicate(document, yaml) : { at: error.pos[0], code: error.code };
  if (problem !== null) {
    const { line, col } = lineCounter.linePos(problem.at);
    throw new YamlProblem(`line ${line}, column ${col}: ${problem.code}`);
  }
  try {
    return document.toJS({ maxAliasCount: mostAliases });
  } catch {
    throw new YamlProblem('its aliases cannot be followed');
  }
}

interface Found {
  readonly at: number;
  readonly code: string;
}

/**
 * The first key that stands twice in its map, as the package would say it; `null` when none does. NOTE: its own `visit` takes
 * as long for this as reading the text does (2.9.1, 0.4 s for a graph of 10,000 nodes).
 */
function findDuplicate(document: Document, { isMap, isSeq, isScalar }: typeof import('yaml')): Found | null {
  const left: unknown[] = [document.contents];
  while (left.length > 0) {
    const node = left.pop();
    if (isSeq(node)) for (let at = node.items.length - 1; at >= 0; at--) left.push(node.items[at]);
    if (!isMap(node)) continue;
    const seen = new Set<unknown>();
    for (const { key } of node.items) {
      if (!isScalar(key)) continue;
      if (seen.has(key.value)) return { at: key.range?.[0] ?? 0, code: 'DUPLICATE_KEY' };
      seen.add(key.value);
    }
    for (let at = node.items.length - 1; at >= 0; at--) left.push(node.items[at]?.value, node.items[at]?.key);
  }
  return null;
}
