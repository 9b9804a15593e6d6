/** A document that is no YAML; the message says where, and never what stands there. */
export class YamlProblem extends Error {}

/** Of a document whose aliases stand for more than that nobody says what it would grow to. */
const mostAliases = 100;

/** Reads one document of YAML 1.2 as plain data. Loads the package on use. Rejects with `YamlProblem`. */
export async function readYaml(text: string): Promise<unknown> {
  const { LineCounter, parseDocument } = await import('yaml');
  const lineCounter = new LineCounter();
  // Pretty errors would quote the line, which may hold what is nobody else's to read.
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    throw new YamlProblem(`line ${line}, column ${col}: ${error.code}`);
  }
  try {
    return document.toJS({ maxAliasCount: mostAliases });
  } catch {
    throw new YamlProblem('its aliases cannot be followed');
  }
}
