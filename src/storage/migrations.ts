import type { Database } from './database.js';

/** Marks a file as a ledger: `ltap` in ASCII. */
export const applicationId = 0x6c746170;

interface Migration {
  /** What changes and why, as a sentence. */
  readonly why: string;
  readonly sql: string;
}

/**
 * Every change of the schema, in order; the version of a file is how many of them it has had. Append only: what
 * stands here has run on somebody's file.
 */
const migrations: readonly Migration[] = [
  {
    why: `The first schema. A column for every field of a call, so that queries and indexes reach it; bodies in a
      table of their own, so that listing calls does not read them and pruning them leaves the calls alone. The
      indexes end in started_at because every listing is in order of time; those over ids most calls lack hold only
      the calls that have them.`,
    sql: `
      CREATE TABLE sessions (
        session_id TEXT PRIMARY KEY, run_id TEXT NOT NULL,
        config_key TEXT, variation_key TEXT, version INTEGER, graph_key TEXT, graph_run_id TEXT,
        data_id TEXT, combo_id TEXT, agent_id TEXT,
        opened_at TEXT NOT NULL, command TEXT,
        ended_at TEXT, exit_code INTEGER,
        calls INTEGER, passed_requests INTEGER, tunnels INTEGER, tunnel_bytes INTEGER, upgrades INTEGER, faults INTEGER
      );
      CREATE INDEX sessions_by_run ON sessions (run_id, opened_at);

      CREATE TABLE calls (
        seq INTEGER PRIMARY KEY, call_id TEXT NOT NULL UNIQUE,
        session_id TEXT NOT NULL, run_id TEXT NOT NULL,
        config_key TEXT, variation_key TEXT, version INTEGER, graph_key TEXT, graph_run_id TEXT,
        data_id TEXT, combo_id TEXT, agent_id TEXT,
        provider TEXT NOT NULL, api TEXT NOT NULL, method TEXT NOT NULL, url TEXT NOT NULL,
        requested_model TEXT, routed_model TEXT, model TEXT,
        stream INTEGER NOT NULL, status INTEGER NOT NULL, outcome TEXT NOT NULL,
        input_tokens INTEGER, output_tokens INTEGER, cache_read_tokens INTEGER, cache_write_tokens INTEGER,
        reasoning_tokens INTEGER, total_tokens INTEGER, usage_problem TEXT,
        started_at TEXT NOT NULL, latency_ms REAL NOT NULL, time_to_first_byte_ms REAL, time_to_first_token_ms REAL,
        cached INTEGER NOT NULL, finish_reasons TEXT NOT NULL, tool_calls TEXT NOT NULL,
        response_id TEXT, request_id TEXT, wire_session TEXT,
        request_bytes INTEGER NOT NULL, response_bytes INTEGER NOT NULL,
        error_code TEXT, error_message TEXT, changes TEXT NOT NULL
      );
      CREATE INDEX calls_by_start ON calls (started_at);
      CREATE INDEX calls_by_run ON calls (run_id, started_at);
      CREATE INDEX calls_by_session ON calls (session_id, started_at);
      CREATE INDEX calls_by_config ON calls (config_key, started_at) WHERE config_key IS NOT NULL;
      CREATE INDEX calls_by_graph ON calls (graph_key, started_at) WHERE graph_key IS NOT NULL;
      CREATE INDEX calls_by_data ON calls (data_id, started_at) WHERE data_id IS NOT NULL;

      CREATE TABLE bodies (
        call_seq INTEGER PRIMARY KEY REFERENCES calls (seq) ON DELETE CASCADE,
        request TEXT, response TEXT
      );

      CREATE TABLE faults (
        seq INTEGER PRIMARY KEY, code TEXT NOT NULL, message TEXT NOT NULL, hint TEXT, session_id TEXT, at TEXT NOT NULL
      );
      CREATE INDEX faults_by_session ON faults (session_id);
      CREATE INDEX faults_by_time ON faults (at);
    `,
  },
  {
    why: `A tracker in code answers for its own sessions alone, and many of them, and other taps, share a file. Only
      sessions opened by one have its id.`,
    sql: `
      ALTER TABLE sessions ADD COLUMN tracker_id TEXT;
      CREATE INDEX sessions_by_tracker ON sessions (tracker_id) WHERE tracker_id IS NOT NULL;
    `,
  },
  {
    why: `What a call cost, how it was served and how its pieces came. Sums over costs and tiers are asked for, so they are
      columns; what is only shown with its call is one JSON text. A call of before has null for all of them.`,
    sql: `
      ALTER TABLE calls ADD COLUMN protocol TEXT;
      ALTER TABLE calls ADD COLUMN partial INTEGER;
      ALTER TABLE calls ADD COLUMN service_tier TEXT;
      ALTER TABLE calls ADD COLUMN cost_usd REAL;
      ALTER TABLE calls ADD COLUMN saved_usd REAL;
      ALTER TABLE calls ADD COLUMN reported_usd REAL;
      ALTER TABLE calls ADD COLUMN self_ms REAL;
      ALTER TABLE calls ADD COLUMN details TEXT;
    `,
  },
  {
    why: `What happens in a run besides its calls: outcomes, feedback, tool calls, whatever a tracker says. A fact a run
      has once is claimed first, by a key that all processes share. How a session's run ended stands with the session.`,
    sql: `
      CREATE TABLE events (
        seq INTEGER PRIMARY KEY, event_id TEXT NOT NULL UNIQUE, at TEXT NOT NULL, name TEXT NOT NULL, value REAL,
        run_id TEXT, session_id TEXT, call_id TEXT, source TEXT NOT NULL, data TEXT NOT NULL, context TEXT NOT NULL
      );
      CREATE INDEX events_by_run ON events (run_id, seq) WHERE run_id IS NOT NULL;
      CREATE INDEX events_by_time ON events (at);
      CREATE TABLE run_claims (
        run_id TEXT NOT NULL, fact TEXT NOT NULL, owner TEXT NOT NULL, source TEXT NOT NULL, at TEXT NOT NULL,
        PRIMARY KEY (run_id, fact)
      ) WITHOUT ROWID;
      CREATE INDEX run_claims_by_time ON run_claims (at);
      ALTER TABLE sessions ADD COLUMN outcome TEXT;
    `,
  },
  {
    why: `Long streams are kept deflated, as BLOBs in the columns of bodies (\`body-column.ts\`), which a program of
      before would take for absent.`,
    sql: '',
  },
];

/** The version this program writes. */
export const schemaVersion = migrations.length;

/**
 * Brings a file to `schemaVersion` in one transaction, or leaves it as it was. Safe when several processes open a
 * new file at once: the version is read again under the write lock.
 */
export function migrate(db: Database): void {
  if (readVersion(db) >= schemaVersion) return;
  db.transaction(() => {
    for (const { sql } of migrations.slice(readVersion(db))) db.exec(sql);
    db.pragma(`application_id = ${applicationId}`);
    db.pragma(`user_version = ${schemaVersion}`);
  }).immediate();
}

function readVersion(db: Database): number {
  return Number(db.pragma('user_version', { simple: true }));
}
