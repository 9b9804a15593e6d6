import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openWritable } from '../../src/storage/database.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'llmtap-database-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

it('a ledger that another makes while it is looked at is not taken for another program’s', () => {
  const path = join(folder, 'llmtap.db');
  const pragma = Reflect.get(BetterSqlite3.prototype, 'pragma') as BetterSqlite3.Database['pragma'];
  const others: string[] = [];
  vi.spyOn(BetterSqlite3.prototype, 'pragma').mockImplementation(function (this: BetterSqlite3.Database, ...args) {
    const answer: unknown = pragma.apply(this, args);
    if (args[0] === 'application_id' && others.length === 0) {
      others.push('looked');
      try {
        openWritable({ path, busyTimeoutMs: 0 }).close();
        others.push('made');
      } catch (error) {
        others.push((error as { readonly code: string }).code);
      }
    }
    return answer;
  });
  openWritable({ path, busyTimeoutMs: 0 }).close();
  // The other waits for its turn, and tries again, as a writer does.
  expect(others).toEqual(['looked', 'STORE_LOCKED']);
  openWritable({ path, busyTimeoutMs: 0 }).close();
});
