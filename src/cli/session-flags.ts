import { resolve } from 'node:path';
import { Command, Option } from '@commander-js/extra-typings';
import type { OtlpProfile } from '../core/exporting.js';
import type { HostOptions, SessionOptions } from '../core/host.js';
import type { BodyPolicy } from '../core/ledger.js';
import { type CacheFlags, planCache, readCacheMode, readReplaySpeed } from './cache-flags.js';
import { planCassette } from './cassette-flags.js';
import type { ConfigFlags, ConfigPlan } from './config-flags.js';
import { readContextFlag, readDedupe } from './context-flag.js';
import { planExporters, readOtlpProfile } from './exporter-flags.js';
import {
  makeIdReader,
  makeInvalid,
  makeWholeNumberReader,
  readBodyPolicy,
  readList,
  readSize,
  readSpan,
} from './read-flags.js';
import { type RoutingFlags, readMaxCost, readRoutingFlags } from './routing-flags.js';

/** A tap about to be opened: plain data, so that it can be handed to another process. */
export interface TapPlan {
  readonly host: Omit<HostOptions, 'env'>;
  readonly session: SessionOptions;
  /** Absolute; the module of a router of the user's. */
  readonly routerModule?: string;
  /** Write the trust store Java needs and name it to Java. */
  readonly java: boolean;
}

/** The flags `run` and `env` share, as commander parses them. */
export interface SessionFlags extends CacheFlags, RoutingFlags, ConfigFlags {
  readonly runId?: string | undefined;
  readonly variationKey?: string | undefined;
  readonly version?: number | undefined;
  readonly graphRunId?: string | undefined;
  readonly dataId?: string | undefined;
  readonly comboId?: string | undefined;
  readonly agentId?: string | undefined;
  readonly bodies?: BodyPolicy | undefined;
  readonly connectTo?: readonly string[] | undefined;
  readonly upstreamCa?: string | undefined;
  readonly provider?: readonly string[] | undefined;
  readonly prices?: string | undefined;
  readonly events?: string | undefined;
  readonly otlp?: string | true | undefined;
  readonly otlpProfile?: OtlpProfile | undefined;
  readonly langfuse?: true | undefined;
  readonly prometheus?: number | true | undefined;
  readonly exportContent?: true | undefined;
  readonly record?: string | undefined;
  readonly replay?: string | undefined;
  readonly replayOrLive?: string | undefined;
  readonly normalise?: string | undefined;
  readonly with?: readonly 'java'[] | undefined;
  readonly proxyAuth?: true | undefined;
}

/** A new command that has the flags of a session. */
export function makeSessionCommand(name: string) {
  return new Command(name)
    .optionsGroup('Attribution, stamped on every call:')
    .option('--run-id <id>', 'the run these calls belong to (a new UUID)', makeIdReader('--run-id'))
    .option('--config-key <key>', 'the configuration in use', makeIdReader('--config-key'))
    .option('--variation-key <key>', 'the variation of it', makeIdReader('--variation-key'))
    .option('--version <n>', 'the version of it', makeWholeNumberReader('--version', 0))
    .option('--graph-key <key>', 'the agent graph', makeIdReader('--graph-key'))
    .option('--graph-run-id <id>', 'the run of that graph', makeIdReader('--graph-run-id'))
    .option('--data-id <id>', 'the item of a data set', makeIdReader('--data-id'))
    .option('--combo-id <id>', 'the combination of models on trial', makeIdReader('--combo-id'))
    .option('--agent-id <id>', 'the agent', makeIdReader('--agent-id'))
    .optionsGroup('The run of a config:')
    .option(
      '--config <file>',
      'flags that say what the config is (llmtap.config.yaml, .yml or .json, where there is one)',
    )
    .option('--no-config', 'use no file of flags')
    .option('--context <who>', 'who the run is for: a user’s KEY, KIND:KEY, or a context as JSON', readContextFlag)
    .option('--dedupe <scope>', 'run: each fact once in all of the run; tracker (usual): in each session', readDedupe)
    .optionsGroup('Recording:')
    .option('--bodies <policy>', 'what is kept of bodies: none, redacted (usual) or full', readBodyPolicy)
    .option('--provider <name=url>', 'a model server of your own; may be repeated (LLMTAP_PROVIDERS)', collect)
    .option('--prices <file>', 'JSON file of prices of your own (LLMTAP_PRICES)')
    .optionsGroup('Routing and budget:')
    .option('--router <router>', 'chooses the model of each call: random:A,B@SEED …, a module ./router.mjs, or none')
    .option('--max-cost <usd>', 'refuse calls beyond so many US dollars in the run', readMaxCost)
    .option('--max-calls <n>', 'refuse calls beyond so many', makeWholeNumberReader('--max-calls', 0))
    .option('--max-tokens <n>', 'refuse calls beyond so many tokens', makeWholeNumberReader('--max-tokens', 0))
    .optionsGroup('Answering calls from kept replies:')
    .option('--cache [mode]', 'on (usual), refresh, only or off; off when not given (LLMTAP_CACHE)', readCacheMode)
    .option('--cache-dir <folder>', 'keep them there; .llmtap when not given (LLMTAP_CACHE_DIR)')
    .option('--cache-memory', 'keep them in memory, for this session alone')
    .option('--cache-ttl <time>', 'answer from none that is older: 90s, 5m, 12h, 7d', (value) =>
      readSpan('--cache-ttl', value),
    )
    .option('--cache-max-size <size>', 'least recently used go first beyond it (1GiB)', (value) =>
      readSize('--cache-max-size', value),
    )
    .option(
      '--cache-max-entries <n>',
      'the same, by their number (1,000,000)',
      makeWholeNumberReader('--cache-max-entries', 1),
    )
    .option('--cache-tool-results', 'keep also replies in which the provider ran code or MCP tools')
    .option(
      '--replay-speed <n>',
      'streams at their own pace (1), or n times as fast; instant when not given',
      readReplaySpeed,
    )
    .optionsGroup('Sending events elsewhere, besides the ledger:')
    .option('--events <file>', 'append each event to a file, one line of JSON each (LLMTAP_EVENTS)')
    .option('--otlp [url]', 'traces, metrics and logs to a collector; OTEL_… variables count (LLMTAP_OTLP)')
    .option('--langfuse', 'traces to Langfuse, by LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY')
    .addOption(
      new Option('--prometheus [port]', 'serve metrics on loopback for Prometheus to fetch (port 9464)').argParser(
        makeWholeNumberReader('--prometheus', 1),
      ),
    )
    .addOption(
      new Option('--otlp-profile <names>', 'OpenTelemetry’s names: latest (usual), legacy or both').argParser(
        readOtlpProfile,
      ),
    )
    .option('--export-content', 'send what was said along, and the bodies that are kept')
    .optionsGroup('A run again, from .llmtap/cassettes in the working folder:')
    .option('--record <name>', 'keep every call and its reply')
    .option('--replay <name>', 'answer from what was kept; nothing goes out')
    .option('--replay-or-live <name>', 'the same, but ask the provider for what was not kept')
    .option('--normalise <file>', 'JSON file of what changes from run to run, to be set aside')
    .optionsGroup('Connections:')
    .option('--connect-to <h:p:a:p>', 'dial A:P for H:P, as curl; may be repeated (LLMTAP_CONNECT_TO)', collect)
    .option('--upstream-ca <file>', 'PEM file to trust for providers as well (LLMTAP_UPSTREAM_CA)')
    .option('--proxy-auth', 'ask for credentials on the proxy port (they are in HTTPS_PROXY)')
    .addOption(
      new Option('--with <runtime>', 'set up a runtime that is off by default: java').argParser(collectRuntime),
    );
}

/**
 * Flags and variables as one plan; a flag wins over its variable. Throws `OPTION_INVALID`, `OPTION_CONFLICT`,
 * `PROVIDER_INVALID`, `FLAGS_INVALID` or `HOME_UNUSABLE`.
 */
export async function readTapPlan(
  flags: SessionFlags,
  env: Readonly<Record<string, string | undefined>>,
): Promise<TapPlan> {
  const [{ findHome }, { readProviderFlag }, { requireDistinctNames }, { session, ...routing }, config] =
    await Promise.all([
      import('../ca/paths.js'),
      import('../providers/read-provider-flag.js'),
      import('../providers/distinct-names.js'),
      readRoutingFlags(flags),
      readConfigPlan(flags),
    ]);
  const providers = (flags.provider?.length ? flags.provider : readList(env.LLMTAP_PROVIDERS)).map(readProviderFlag);
  requireDistinctNames(providers);
  const cassette = await planCassette(flags);
  const prices = flags.prices ?? (env.LLMTAP_PRICES || undefined);
  const upstreamCa = flags.upstreamCa ?? (env.LLMTAP_UPSTREAM_CA || undefined);
  const cache = planCache(flags, env);
  return {
    host: {
      home: findHome(env),
      cache: cache.place,
      ...(flags.bodies === undefined ? {} : { bodies: flags.bodies }),
      connectTo: flags.connectTo?.length ? flags.connectTo : readList(env.LLMTAP_CONNECT_TO),
      ...(upstreamCa === undefined ? {} : { upstreamCa: resolve(upstreamCa) }),
      providers,
      ...(prices === undefined ? {} : { prices: resolve(prices) }),
      exporters: planExporters(flags, env),
    },
    session: {
      ...makeSessionOptions(flags, config),
      ...session,
      ...(cache.use === null ? {} : { cache: cache.use }),
      ...(cassette !== undefined && { cassette }),
    },
    ...routing,
    java: flags.with?.includes('java') ?? false,
  };
}

/** Loaded on use: a session for no config has no file to be read. */
async function readConfigPlan(flags: SessionFlags): Promise<ConfigPlan> {
  const { configKey, graphKey, config, context, dedupe } = flags;
  const isSaid =
    typeof config === 'string' || [configKey, graphKey, context, dedupe].some((value) => value !== undefined);
  if (!isSaid) return {};
  const { planConfig } = await import('./config-flags.js');
  return await planConfig(flags);
}

/** What is given by hand goes before what a file says. */
function makeSessionOptions(flags: SessionFlags, config: ConfigPlan): SessionOptions {
  return {
    ...config,
    ...(flags.runId === undefined ? {} : { runId: flags.runId }),
    configKey: flags.configKey ?? null,
    variationKey: flags.variationKey ?? config.variationKey ?? null,
    version: flags.version ?? config.version ?? null,
    graphKey: flags.graphKey ?? null,
    graphRunId: flags.graphRunId ?? null,
    dataId: flags.dataId ?? null,
    comboId: flags.comboId ?? null,
    agentId: flags.agentId ?? null,
    credentials: flags.proxyAuth ?? false,
  };
}

function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

/** The one runtime there is; commander's own check of choices gives way to a parser. */
function collectRuntime(value: string, previous: readonly 'java'[] | undefined): readonly 'java'[] {
  if (value === 'java') return [...(previous ?? []), value];
  throw makeInvalid('--with', value, 'names nothing that can be set up', 'Use --with java.');
}
