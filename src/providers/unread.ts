import { unknownUsage } from '../core/usage.js';
import type { Dialect } from '../core/wire.js';
import { readGoogleRequest } from './google-generate.js';
import type { JsonObject } from './json-fields.js';
import { putMediaModel, readMediaRequest } from './media-request.js';
import { putGoogleModel } from './model-rewrite.js';
import { readSegments } from './path-pattern.js';
import type { ReplyLanguage } from './reply-language.js';
import type { ReplyNotes } from './reply-notes.js';
import { openReplyReader } from './reply-reader.js';

const UNREAD_LANGUAGE = makeUnreadLanguage('the replies of this API are not read by this version');
const UNLISTED_LANGUAGE = makeUnreadLanguage('this path is not known to this version, and its replies are not read');

/**
 * A request that has a model work and is billed, in an API whose replies nobody reads yet: videos made, formats of one
 * provider alone. It is on record, with what it says of model and id and with its usage unknown, rather than lost among the
 * requests that are no calls. Which they are, the catalogue lists path by path.
 */
export const unread: Dialect = {
  api: 'other',
  readRequest: readMediaRequest,
  openReply: (head) => openReplyReader(head, UNREAD_LANGUAGE),
  withModel: putMediaModel,
};

/** The same where the path names the model as Google's do. */
export const googleUnread: Dialect = {
  api: 'other',
  readRequest: readGoogleRequest,
  openReply: (head) => openReplyReader(head, UNREAD_LANGUAGE),
  withModel: putGoogleModel,
};

/**
 * A request to a path nobody has listed (`unlisted.ts`). What it is, only its body says: one that names a model is a call.
 * Its model stays where it is, since nobody knows what else names it.
 */
export const unlisted: Dialect = {
  api: 'other',
  readRequest: (body, path) =>
    readSegments(path).at(-1)?.includes(':') === true ? readGoogleRequest(body, path) : readMediaRequest(body, path),
  openReply: (head) => openReplyReader(head, UNLISTED_LANGUAGE),
};

function makeUnreadLanguage(noUsage: string): ReplyLanguage {
  return {
    lookedFor: 'nothing',
    streamHint: null,
    noOutput: null,
    noUsage,
    readDocument(document: JsonObject, notes: ReplyNotes): void {
      notes.noteResponseId(document.id);
      notes.noteModel(document.model);
    },
    listSources: () => ({ input: [], output: [] }),
    makeUsage: () => unknownUsage,
  };
}
