export { findMembers, type JsonMember, replaceMember } from './json-members.js';
export { askForStreamUsage } from './stream-usage.js';
export { type FilteredPart, UsageFrameFilter } from './usage-frame-filter.js';
