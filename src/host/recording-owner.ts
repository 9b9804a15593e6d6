import { hash } from 'node:crypto';
import { findOwnIdentity, judgeOwner } from '../activation/session-owner.js';
import type { RecordingOwner } from '../replay/parts.js';

/** This process as the owner of recordings. Its mark names the machine and its boot by a digest, for file names are short. */
export function findRecordingOwner(): RecordingOwner {
  const self = findOwnIdentity();
  const { processId, startedAt, pidNamespace, boot } = self;
  const place = hash('sha256', `${pidNamespace}\n${boot}`).slice(0, 12);
  return {
    mark: `${processId}-${startedAt ?? '0'}-${place}`,
    isGone: (mark) => {
      const [, of, since, where] = /^([1-9]\d{0,9})-(\d+)-([0-9a-f]{12})$/.exec(mark) ?? [];
      if (where !== place) return false;
      const owner = { processId: Number(of), startedAt: since === '0' ? null : (since ?? null), pidNamespace, boot };
      return judgeOwner(owner, self) === 'gone';
    },
  };
}
