import { createRequire } from 'node:module';
import type { asn1 } from 'node-forge';

/** A node of a DER structure as node-forge keeps it: bytes are strings of one character a byte. */
export type Asn1Node = asn1.Asn1;

const requireModule = createRequire(import.meta.url);
let loaded: typeof asn1 | undefined;

/**
 * The only door to node-forge.
 *
 * NOTE: loaded on first use, and its ASN.1 part only: 7 ms where the whole package takes 47 (measured), and a start
 * that finds its authority on disk needs neither.
 */
function requireAsn1(): typeof asn1 {
  loaded ??= requireModule('node-forge/lib/asn1.js') as typeof asn1;
  return loaded;
}

export function makeSequence(...children: readonly Asn1Node[]): Asn1Node {
  const { Type } = requireAsn1();
  return makeNode(Type.SEQUENCE, [...children]);
}

export function makeSet(...children: readonly Asn1Node[]): Asn1Node {
  const { Type } = requireAsn1();
  return makeNode(Type.SET, [...children]);
}

export function makeOid(dotted: string): Asn1Node {
  const { Type, oidToDer } = requireAsn1();
  return makeNode(Type.OID, oidToDer(dotted).getBytes());
}

/** A non-negative integer from its big-endian bytes, which must be minimal DER: no leading zero that is not needed. */
export function makeInteger(bytes: Uint8Array): Asn1Node {
  const { Type } = requireAsn1();
  return makeNode(Type.INTEGER, toBinary(bytes));
}

export function makeBoolean(value: boolean): Asn1Node {
  const { Type } = requireAsn1();
  return makeNode(Type.BOOLEAN, value ? '\xff' : '\x00');
}

export function makeOctetString(bytes: Uint8Array): Asn1Node {
  const { Type } = requireAsn1();
  return makeNode(Type.OCTETSTRING, toBinary(bytes));
}

/** A BIT STRING; `unusedBits` is how many low bits of the last byte do not count. */
export function makeBitString(bytes: Uint8Array, unusedBits = 0): Asn1Node {
  const { Type } = requireAsn1();
  return makeNode(Type.BITSTRING, String.fromCharCode(unusedBits) + toBinary(bytes));
}

export function makeUtf8String(text: string): Asn1Node {
  const { Type } = requireAsn1();
  return makeNode(Type.UTF8, toBinary(Buffer.from(text, 'utf8')));
}

/** A point in time, whole seconds; UTCTime until 2049, GeneralizedTime after (RFC 5280, 4.1.2.5). */
export function makeTime(atMs: number): Asn1Node {
  const { Type, dateToUtcTime, dateToGeneralizedTime } = requireAsn1();
  const date = new Date(atMs);
  return date.getUTCFullYear() < 2050
    ? makeNode(Type.UTCTIME, dateToUtcTime(date))
    : makeNode(Type.GENERALIZEDTIME, dateToGeneralizedTime(date));
}

/** A node with a context-specific tag: children make it constructed (EXPLICIT), bytes primitive (IMPLICIT). */
export function makeTagged(tag: number, content: readonly Asn1Node[] | Uint8Array): Asn1Node {
  const { Class, create } = requireAsn1();
  return content instanceof Uint8Array
    ? create(Class.CONTEXT_SPECIFIC, tag, false, toBinary(content))
    : create(Class.CONTEXT_SPECIFIC, tag, true, [...content]);
}

export function makeDer(node: Asn1Node): Buffer {
  return Buffer.from(requireAsn1().toDer(node).getBytes(), 'latin1');
}

/** Throws node-forge's own error when the bytes are no DER. */
export function readDer(der: Uint8Array): Asn1Node {
  return requireAsn1().fromDer(toBinary(der));
}

/** The children of a constructed node; none for a primitive one. */
export function readChildren(node: Asn1Node | undefined): readonly Asn1Node[] {
  return node !== undefined && Array.isArray(node.value) ? node.value : [];
}

/** The bytes of a primitive node; `undefined` for a constructed one. */
export function findBytes(node: Asn1Node | undefined): Buffer | undefined {
  return node !== undefined && typeof node.value === 'string' ? Buffer.from(node.value, 'latin1') : undefined;
}

function makeNode(type: asn1.Type, value: string | Asn1Node[]): Asn1Node {
  const { Class, create } = requireAsn1();
  return create(Class.UNIVERSAL, type, typeof value !== 'string', value);
}

function toBinary(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
