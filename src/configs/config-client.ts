// Longer than a file is: one method for each way to ask for a config, with what it takes, gives and says.
import { readErrorMessage } from '../core/errors.js';
import { makeInvalid } from '../core/option-checks.js';
import { copyPlainData, setOwn } from '../core/plain-copy.js';
import { isolate, makeQuietLogger } from '../core/quiet-logger.js';
import { type EventSink, type RunLogger, USAGE_EVENTS } from '../core/run-events.js';
import type { AgentGraph } from '../graph/agent-graph.js';
import { loadGraph } from '../graph/load-graph.js';
import { ConfigTracker } from '../trackers/config-tracker.js';
import { GraphTracker } from '../trackers/graph-tracker.js';
import type { AgentConfig, CompletionConfig, ConfigOfMode, JudgeConfig } from './config.js';
import { type ConfigClientOptions, checkConfigClientOptions, checkRequest, findSink } from './config-client-options.js';
import type { ConfigDefault, ConfigMode, RatedJudgeKey } from './config-flag.js';
import { type Interpolate, openInterpolation, type Variables } from './interpolate.js';
import { Judge } from './judge.js';
import { loadConfig } from './load-config.js';
import { ManagedAgent, ManagedModel } from './managed-run.js';
import type { Runner, RunnerUse } from './runner.js';
import { readSdkInfo, sdkContext } from './sdk-info.js';

/** One of several agents that are asked for at once. */
export interface AgentRequest {
  readonly key: string;
  readonly defaultValue?: ConfigDefault | null | undefined;
  readonly variables?: Variables | null | undefined;
}

/** What a config is asked for with. */
interface Asked {
  readonly key: string;
  readonly context: object;
  readonly fallback?: ConfigDefault | null | undefined;
  readonly variables?: Variables | null | undefined;
  readonly graphKey?: string;
  readonly isTemplate?: boolean;
  readonly provider?: string | null | undefined;
  /** Given with a context that is nobody else's. */
  readonly interpolate?: Interpolate;
}

/**
 * Gives the configs of models, agents and judges, and graphs of agents, as flags have them, each with trackers of its runs.
 * Methods, their arguments and the events they send are those of LaunchDarkly's AI SDKs. A config that cannot be had is the
 * default that is given here, or a disabled one; only what is no key, context, default or variables throws `OPTION_INVALID`.
 *
 * @example
 * const client = new ConfigClient({ flags: await openFlagFile() });
 * const config = await client.completionConfig('support-bot', { kind: 'user', key: 'u1' }, null, { name: 'Ann' });
 * if (config.enabled) console.log(config.model?.name, config.messages);
 */
export class ConfigClient {
  readonly #options: ConfigClientOptions;
  readonly #sink: EventSink;
  readonly #logger: RunLogger;

  /** Throws `OPTION_INVALID`. Sends one event, which says that there is a client. */
  constructor(options: ConfigClientOptions) {
    checkConfigClientOptions(options);
    this.#options = Object.freeze({ ...options });
    this.#sink = findSink(options);
    this.#logger = makeQuietLogger(options.logger);
    this.#send(USAGE_EVENTS.sdkInfo, sdkContext, readSdkInfo(), 1);
  }

  /** How to ask a model. Texts are rendered with the variables; see `openInterpolation`'s rules in the README. */
  async completionConfig(
    key: string,
    context: object,
    fallback?: ConfigDefault | null,
    variables?: Variables | null,
    defaultAiProvider?: string | null,
  ): Promise<CompletionConfig> {
    const asked = { key, context, fallback, variables, provider: defaultAiProvider };
    return await this.#tellAndLoad(USAGE_EVENTS.completionConfig, 'completion', asked);
  }

  /** How an agent works. */
  async agentConfig(
    key: string,
    context: object,
    fallback?: ConfigDefault | null,
    variables?: Variables | null,
    defaultAiProvider?: string | null,
  ): Promise<AgentConfig> {
    const asked = { key, context, fallback, variables, provider: defaultAiProvider };
    return await this.#tellAndLoad(USAGE_EVENTS.agentConfig, 'agent', asked);
  }

  /** How a judge judges. Messages that ask for what is judged are left out: it comes in a text of its own. */
  async judgeConfig(
    key: string,
    context: object,
    fallback?: ConfigDefault | null,
    variables?: Variables | null,
  ): Promise<JudgeConfig> {
    return await this.#tellAndLoad(USAGE_EVENTS.judgeConfig, 'judge', { key, context, fallback, variables });
  }

  /** As `completionConfig`, with its texts as they are. */
  async completionConfigTemplate(
    key: string,
    context: object,
    fallback?: ConfigDefault | null,
    defaultAiProvider?: string | null,
  ): Promise<CompletionConfig> {
    const asked = { key, context, fallback, provider: defaultAiProvider, isTemplate: true };
    return await this.#tellAndLoad(USAGE_EVENTS.completionConfigTemplate, 'completion', asked);
  }

  /** As `agentConfig`, with its texts as they are. */
  async agentConfigTemplate(
    key: string,
    context: object,
    fallback?: ConfigDefault | null,
    defaultAiProvider?: string | null,
  ): Promise<AgentConfig> {
    const asked = { key, context, fallback, provider: defaultAiProvider, isTemplate: true };
    return await this.#tellAndLoad(USAGE_EVENTS.agentConfigTemplate, 'agent', asked);
  }

  /** As `judgeConfig`, with all its messages, as they are. */
  async judgeConfigTemplate(key: string, context: object, fallback?: ConfigDefault | null): Promise<JudgeConfig> {
    const asked = { key, context, fallback, isTemplate: true };
    return await this.#tellAndLoad(USAGE_EVENTS.judgeConfigTemplate, 'judge', asked);
  }

  /** Several agents at once, by key. */
  async agentConfigs(
    requests: readonly AgentRequest[],
    context: object,
  ): Promise<Readonly<Record<string, AgentConfig>>> {
    if (!Array.isArray(requests)) throw makeInvalid('the requests', requests, 'a list of { key }');
    const asked = requests.map(({ key, defaultValue, variables }) => ({
      key,
      context,
      fallback: defaultValue,
      variables,
    }));
    for (const one of asked) checkRequest(one);
    this.#send(USAGE_EVENTS.agentConfigs, context, asked.length, asked.length);
    const agents: Record<string, AgentConfig> = {};
    const loaded = await Promise.all(asked.map(async (one) => await this.#load('agent', one)));
    for (const agent of loaded) setOwn(agents, agent.key, agent);
    return agents;
  }

  /**
   * A model that runs, by `makeRunner`; `undefined` where its config is disabled, or there is no runner for it, of which the
   * log says which.
   */
  async createModel(
    key: string,
    context: object,
    fallback?: ConfigDefault | null,
    variables?: Variables | null,
    defaultAiProvider?: string | null,
  ): Promise<ManagedModel | undefined> {
    const asked = { key, context, fallback, variables, provider: defaultAiProvider };
    const config = await this.#tellAndLoad(USAGE_EVENTS.createModel, 'completion', asked);
    const runner = await this.#makeRunner({ kind: 'model', config, defaultAiProvider: defaultAiProvider ?? null });
    return runner === null ? undefined : new ManagedModel({ config, runner, ...this.#runParts() });
  }

  /** As `createModel`, of an agent. */
  async createAgent(
    key: string,
    context: object,
    fallback?: ConfigDefault | null,
    variables?: Variables | null,
    defaultAiProvider?: string | null,
  ): Promise<ManagedAgent | undefined> {
    const asked = { key, context, fallback, variables, provider: defaultAiProvider };
    const config = await this.#tellAndLoad(USAGE_EVENTS.createAgent, 'agent', asked);
    const runner = await this.#makeRunner({ kind: 'agent', config, defaultAiProvider: defaultAiProvider ?? null });
    return runner === null ? undefined : new ManagedAgent({ config, runner, ...this.#runParts() });
  }

  /** As `createModel`, of a judge. @param sampleRate how many of the runs it judges, from 0 to 1. */
  async createJudge(
    key: string,
    context: object,
    fallback?: ConfigDefault | null,
    variables?: Variables | null,
    defaultAiProvider?: string | null,
    sampleRate = 1,
  ): Promise<Judge | undefined> {
    const asked = { key, context, fallback, variables, provider: defaultAiProvider };
    checkRequest(asked);
    this.#send(USAGE_EVENTS.createJudge, context, key, 1);
    return await this.#openJudge(asked, sampleRate);
  }

  /** A tracker that goes on with a run of a config. Throws `TOKEN_INVALID` and `OPTION_INVALID`. Sends nothing. */
  createTracker(resumptionToken: string, context: object): ConfigTracker {
    const { clock, omitEmptyVariationKey, omitUnknownModelVersion } = this.#options;
    const style = { omitEmptyVariationKey, omitUnknownModelVersion };
    const parts = { sink: this.#sink, logger: this.#logger, clock, context, ...style };
    return ConfigTracker.fromResumptionToken(resumptionToken, parts);
  }

  /** A tracker that goes on with a run of a graph. Throws `TOKEN_INVALID` and `OPTION_INVALID`. Sends nothing. */
  createGraphTracker(resumptionToken: string, context: object): GraphTracker {
    const { clock, emitZeroTokens } = this.#options;
    const parts = { sink: this.#sink, logger: this.#logger, clock, context, emitZeroTokens };
    return GraphTracker.fromResumptionToken(resumptionToken, parts);
  }

  /**
   * A graph of agents and their configs, disabled where `loadGraph` says so; a config is disabled, too, when its flag is of
   * another mode. The runs of its nodes say of which graph they are.
   */
  async agentGraph(graphKey: string, context: object, variables?: Variables | null): Promise<AgentGraph<AgentConfig>> {
    checkRequest({ key: graphKey, context, variables });
    this.#send(USAGE_EVENTS.agentGraph, context, graphKey, 1);
    const { clock, newRunId, emitZeroTokens } = this.#options;
    const own = copyOwn({ context, variables });
    const asked = { ...own, graphKey, interpolate: await openInterpolation(own) };
    return await loadGraph({
      graphKey,
      value: await this.#readGraph(graphKey, own.context),
      logger: this.#logger,
      loadConfig: async (key) => await this.#load('agent', { key, ...asked }),
      createTracker: ({ variationKey, version }) =>
        new GraphTracker({
          ...{ sink: this.#sink, logger: this.#logger, clock, context: own.context, emitZeroTokens },
          ...{ runId: newRunId?.(), graphKey, variationKey, version },
        }),
    });
  }

  async #readGraph(graphKey: string, context: object): Promise<unknown> {
    try {
      return await this.#options.flags.variation(graphKey, context, { root: '' });
    } catch (error) {
      this.#logger.error(`The graph "${graphKey}" could not be read: ${readErrorMessage(error)}`);
      return null;
    }
  }

  async #tellAndLoad<M extends ConfigMode>(eventName: string, mode: M, asked: Asked): Promise<ConfigOfMode[M]> {
    checkRequest(asked);
    this.#send(eventName, asked.context, asked.key, 1);
    return await this.#load(mode, asked);
  }

  async #load<M extends ConfigMode>(mode: M, asked: Asked): Promise<ConfigOfMode[M]> {
    const own = asked.interpolate === undefined ? { ...asked, ...copyOwn(asked) } : asked;
    const parts = { options: this.#options, sink: this.#sink, logger: this.#logger };
    const loadJudges = async (judges: readonly RatedJudgeKey[]) => await this.#openJudges(own, judges);
    return await loadConfig(parts, { mode, ...own, loadJudges });
  }

  /** Those that can be had, in the order they are named in. */
  async #openJudges(
    { context, variables, provider }: Asked,
    judges: readonly RatedJudgeKey[],
  ): Promise<readonly Judge[]> {
    const opened = await Promise.all(
      judges.map(
        async ({ key, samplingRate }) => await this.#openJudge({ key, context, variables, provider }, samplingRate),
      ),
    );
    return opened.filter((judge) => judge !== undefined);
  }

  async #openJudge(asked: Asked, samplingRate: number | undefined): Promise<Judge | undefined> {
    const config = await this.#load('judge', asked);
    const runner = await this.#makeRunner({ kind: 'judge', config, defaultAiProvider: asked.provider ?? null });
    if (runner === null) return undefined;
    return new Judge({ config, runner, samplingRate, random: this.#options.random, ...this.#runParts() });
  }

  async #makeRunner(use: RunnerUse): Promise<Runner | null> {
    const { key, enabled } = use.config;
    if (!enabled) {
      this.#logger.info(`There is no ${use.kind} "${key}": its config is disabled.`);
      return null;
    }
    let reason = 'nothing makes a runner of its config';
    try {
      const runner = (await this.#options.makeRunner?.(use)) ?? null;
      if (runner !== null) return runner;
    } catch (error) {
      reason = `its runner could not be made: ${readErrorMessage(error)}`;
    }
    this.#logger.warn(`There is no ${use.kind} "${key}": ${reason}.`);
    return null;
  }

  #runParts() {
    return { logger: this.#logger, runScope: this.#options.runScope };
  }

  #send(eventName: string, context: object, data: unknown, value: number): void {
    isolate(
      () => this.#sink.track(eventName, context, data, value),
      (error) => this.#logger.error(`The sink failed at ${eventName}: ${readErrorMessage(error)}`),
    );
  }
}

/** What is read later, too, as it is now. */
function copyOwn({ context, variables }: Pick<Asked, 'context' | 'variables'>) {
  return { context: copyPlainData(context, true), variables: copyPlainData(variables ?? null) };
}
