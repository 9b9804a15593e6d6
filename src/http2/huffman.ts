/**
 * Bits of the code of each octet, and of the end of a string. The codes follow from them: shorter ones first, those of a
 * length by octet. Source: RFC 7541 appendix B (read 2026-11-28).
 */
const codeBits = [
  ...[
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
    28,
  ],
  ...[
    28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13,
  ],
  ...[
    6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5,
    6,
  ],
  ...[
    6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22,
    23,
  ],
  ...[
    23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23,
    21,
  ],
  ...[
    23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22,
    23,
  ],
  ...[
    22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20,
    21,
  ],
  ...[
    22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
  ],
];
const endOfString = 256;

/** A transition is the state it leads to, whether a symbol ends in it, and above these bits which. */
const stateBits = 0x3ff;
const hasSymbol = 0x400;
const isFault = 0x800;

const codes = makeCodes();
const { transitions, isPadding } = makeTransitions();

/** Bytes the text takes in this code. Its characters are octets. */
export function measureHuffman(text: string): number {
  let bits = 7;
  for (let i = 0; i < text.length; i += 1) bits += codeBits[text.charCodeAt(i) & 0xff] ?? 0;
  return bits >>> 3;
}

/** Writes the text at `at`, where it has room; returns where it ends. */
export function writeHuffman(text: string, into: Buffer, at: number): number {
  let held = 0;
  let heldBits = 0;
  let to = at;
  for (let i = 0; i < text.length; i += 1) {
    const octet = text.charCodeAt(i) & 0xff;
    const code = codes[octet] ?? 0;
    let bits = codeBits[octet] ?? 0;
    if (bits > 16) {
      // In two steps: what is held has to fit 32 bits.
      bits -= 16;
      held = (held << bits) | (code >>> 16);
      heldBits += bits;
      while (heldBits >= 8) {
        heldBits -= 8;
        into[to++] = held >>> heldBits;
      }
      bits = 16;
    }
    held = (held << bits) | (code & 0xffff);
    heldBits += bits;
    while (heldBits >= 8) {
      heldBits -= 8;
      into[to++] = held >>> heldBits;
    }
  }
  // What is left of the last octet are the first bits of the end: ones.
  if (heldBits > 0) into[to++] = (held << (8 - heldBits)) | (0xff >>> heldBits);
  return to;
}

let scratch = Buffer.allocUnsafe(4096);

/** The text that these bytes are; `undefined` where they are none. */
export function readHuffman(bytes: Buffer, start: number, end: number): string | undefined {
  // The shortest code has five bits.
  const most = Math.ceil(((end - start) * 8) / 5);
  if (most > scratch.length) scratch = Buffer.allocUnsafe(most);
  let state = 0;
  let length = 0;
  for (let i = start; i < end; i += 1) {
    const octet = bytes[i] ?? 0;
    const first = transitions[(state << 4) | (octet >>> 4)] ?? 0;
    if (first & hasSymbol) scratch[length++] = first >>> 16;
    const second = transitions[((first & stateBits) << 4) | (octet & 15)] ?? 0;
    if (second & hasSymbol) scratch[length++] = second >>> 16;
    if ((first | second) & isFault) return undefined;
    state = second & stateBits;
  }
  return isPadding[state] === 1 ? scratch.toString('latin1', 0, length) : undefined;
}

/** The codes of `codeBits`, numbered as Huffman codes by length are. */
function makeCodes(): Uint32Array {
  const made = new Uint32Array(codeBits.length);
  let code = 0;
  for (let bits = 5; bits <= 30; bits += 1, code *= 2)
    codeBits.forEach((own, symbol) => {
      if (own === bits) made[symbol] = code++;
    });
  return made;
}

/** Reads four bits a step. A state is an inner node of the tree of codes: a path that is not yet a symbol. */
function makeTransitions(): { readonly transitions: Uint32Array; readonly isPadding: Uint8Array } {
  // Two a node: the node that follows a bit, or, negative, the symbol that ends with it.
  const children = [0, 0];
  codes.forEach((code, symbol) => {
    let node = 0;
    for (let bit = (codeBits[symbol] ?? 0) - 1; bit > 0; bit -= 1) {
      const at = node * 2 + ((code >>> bit) & 1);
      if (children[at] === 0) {
        children[at] = children.length / 2;
        children.push(0, 0);
      }
      node = children[at] ?? 0;
    }
    children[node * 2 + (code & 1)] = -1 - symbol;
  });
  const nodes = children.length / 2;
  const steps = new Uint32Array(nodes * 16);
  for (let i = 0; i < steps.length; i += 1) steps[i] = takeStep(children, i >>> 4, i & 15);
  const padding = new Uint8Array(nodes);
  // A string ends in fewer than eight ones.
  for (let node = 0, ones = 0; ones < 8; ones += 1, node = children[node * 2 + 1] ?? 0) padding[node] = 1;
  return { transitions: steps, isPadding: padding };
}

function takeStep(children: readonly number[], from: number, nibble: number): number {
  let node = from;
  let told = 0;
  for (let bit = 3; bit >= 0; bit -= 1) {
    const next = children[node * 2 + ((nibble >>> bit) & 1)] ?? 0;
    if (next >= 0) node = next;
    else if (-1 - next === endOfString) return isFault;
    else {
      told = hasSymbol | ((-1 - next) << 16);
      node = 0;
    }
  }
  return told | node;
}
