import { readFileSync, statSync } from 'node:fs';
import { readErrorMessage, TrackerError } from '../core/errors.js';

/** The text of a PEM file of certificates. Throws `UPSTREAM_CA_UNREADABLE`. */
export function readUpstreamCa(path: string): string {
  let text: string;
  try {
    // A pipe or device would be waited for, before the program has started and without a word.
    if (!statSync(path).isFile()) throw new Error('it is no regular file');
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new TrackerError(
      'UPSTREAM_CA_UNREADABLE',
      `Could not read the file of --upstream-ca (upstreamCa) "${path}": ${readErrorMessage(error)}.`,
      {
        cause: error,
        hint: 'Name a PEM file of certificates.',
      },
    );
  }
  if (!text.includes('-----BEGIN CERTIFICATE-----')) {
    throw new TrackerError(
      'UPSTREAM_CA_UNREADABLE',
      `The file of --upstream-ca (upstreamCa), "${path}", holds no PEM certificate.`,
      {
        hint: 'Convert it with: openssl x509 -inform der -in FILE -out FILE.pem',
      },
    );
  }
  return text;
}
