import type { Ask, Route } from '../../examples/provider/provider.js';
import type { CallRecord } from '../../src/core/call-record.js';

/** An agent's command line, as npm has it. */
export interface Agent {
  readonly name: string;
  /** In the npm registry. */
  readonly package: string;
  /** Exact: what an agent says on the wire changes from one version to the next. */
  readonly version: string;
  /** Its own lifecycle script, run in its folder where it does not start without; npm runs none. */
  readonly setUp?: readonly string[];
  /** The program, below the folder it is installed in. */
  readonly program: string;
  /** Whether the program is JavaScript, for the Node.js of the tests. */
  readonly isScript: boolean;
  readonly ways: readonly Way[];
}

/** One way of asking it without a terminal. */
export interface Way {
  readonly title: string;
  readonly args: (prompt: string) => readonly string[];
  /** Its variables: a key that opens nothing, telemetry and updates off. */
  readonly env: Readonly<Record<string, string>>;
  /** What it finds in its home folder: path to content. */
  readonly files?: Readonly<Record<string, string>>;
  /** Host of the provider and, where there are some, of what the agent asks besides. */
  readonly hosts: readonly string[];
  /** What the provider answers besides model calls. */
  readonly routes?: readonly Route[];
  /** Whether the provider refuses WebSockets, by 426. */
  readonly refusesSockets?: boolean;
  /** What the model says where the agent asks for something else than an answer; `null` where it does not. */
  readonly answerAside?: (ask: Ask) => string | null;
  /** What one question leaves on record, oldest first. */
  readonly calls: readonly ExpectedCall[];
  /**
   * Its shell: the tool's name, its input, and what lets it run without asking. Absent where neither that nor an
   * overloaded provider is tried: once for each agent and transport is enough.
   */
  readonly shell?: {
    readonly tool: string;
    readonly input: (command: string) => Readonly<Record<string, unknown>>;
    readonly args: readonly string[];
  };
}

export interface ExpectedCall
  extends Pick<CallRecord, 'provider' | 'api' | 'protocol' | 'stream' | 'requestedModel' | 'finishReasons'> {
  /** Coding of the request's body; none when absent. */
  readonly coding?: string;
  /** Names in `wireSession`. */
  readonly session: readonly string[];
}

/** Variables that every agent gets. */
export const quiet = { DO_NOT_TRACK: '1', NO_COLOR: '1' };
