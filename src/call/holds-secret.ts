import { isGrpcType } from '../core/grpc.js';
import type { WireTools } from './ports.js';
import { redactBody, redactText } from './redaction.js';
import type { SecretSet } from './secrets.js';

export interface SearchedText {
  /** A text, or a body without content coding. */
  readonly content: string | Buffer;
  readonly contentType: string | null;
  readonly secrets: SecretSet;
}

/** Sound and pictures, which a record describes and does not keep. */
const media = /^\s*(?:audio|image|video)\//i;

/** Whether something holds a credential, also one cut across the frames of a stream: whether a record of it would be redacted. */
export function holdsSecret(tools: Pick<WireTools, 'openBodyText' | 'readGrpcText'>, searched: SearchedText): boolean {
  const { content, contentType, secrets } = searched;
  if (typeof content === 'string') return redactText(content, secrets) !== content;
  if (media.test(contentType ?? '')) {
    const bytes = content.toString('latin1');
    return redactText(bytes, secrets) !== bytes;
  }
  if (isGrpcType(contentType)) {
    const messages = tools.readGrpcText(content);
    // What cannot be searched may hold anything.
    if (messages === null) return true;
    const bytes = Buffer.concat([content, messages]).toString('latin1');
    return redactText(bytes, secrets) !== bytes;
  }
  const text = (tools.openBodyText(contentType)?.write(content) ?? content).toString('utf8');
  const kept = redactBody({ text, contentType, policy: 'full', secrets });
  return typeof kept === 'string' ? kept !== text : JSON.stringify(kept) !== JSON.stringify(JSON.parse(text));
}
