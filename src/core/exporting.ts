import type { TrackerEvent } from './events.js';

/** Which names of OpenTelemetry's conventions for generative AI are used. */
export type OtlpProfile = 'latest' | 'legacy' | 'both';

/** Where events go besides the ledger. Plain data, so that it can be handed to another thread. */
export type ExporterPlan = JsonlPlan | OtlpPlan | PrometheusPlan | LangfusePlan;

/** One line of JSON an event, at the end of a file. */
export interface JsonlPlan {
  readonly kind: 'jsonl';
  /** Absolute; made with mode 0600 when absent. */
  readonly path: string;
  /** Whether the bodies that are kept of calls (`bodies`) go along. Off when absent. */
  readonly content?: boolean;
}

/** Traces, metrics and logs to a collector, by OTLP over HTTP with protobuf. */
export interface OtlpPlan {
  readonly kind: 'otlp';
  /** As `OTEL_EXPORTER_OTLP_ENDPOINT`, before which it comes; the variables decide when absent. */
  readonly url?: string;
  /** `latest` when absent. */
  readonly profile?: OtlpProfile;
  /**
   * Whether what was said in calls goes along: messages, instructions and tools by the conventions, and the bodies that are
   * kept. `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` decides when absent.
   */
  readonly content?: boolean;
}

/** Sums and histograms for Prometheus to fetch, at `http://127.0.0.1:PORT/metrics`. */
export interface PrometheusPlan {
  readonly kind: 'prometheus';
  /** 9464 when absent. */
  readonly port?: number;
  /** `latest` when absent. */
  readonly profile?: OtlpProfile;
}

/**
 * Traces to Langfuse, by OTLP. The keys are `LANGFUSE_PUBLIC_KEY` and `LANGFUSE_SECRET_KEY`; where it is, `LANGFUSE_BASE_URL`
 * or `LANGFUSE_HOST` says, `https://cloud.langfuse.com` when neither does.
 */
export interface LangfusePlan {
  readonly kind: 'langfuse';
  /** As `OtlpPlan.profile`. */
  readonly profile?: OtlpProfile;
  /** As `OtlpPlan.content`. */
  readonly content?: boolean;
}

/** What an exporter made of one event, waiting to be sent. */
export interface Prepared<Item> {
  readonly item: Item;
  /** About how much memory it holds. */
  readonly bytes: number;
}

/** Sends events somewhere else. Isolated by its queue: what fails in here nobody else notices. */
export interface Exporter<Item = unknown> {
  /** For messages, without secrets: `the file /tmp/e.jsonl`. */
  readonly name: string;
  /** What to keep of an event until it is sent; `null` when it is none of its own. */
  prepare(event: TrackerEvent): Prepared<Item> | null;
  /** Rejects when nothing of it arrived: with `ExportRefused` when it never will, else the same items come again later. */
  send(items: readonly Item[]): Promise<void>;
  close(): Promise<void>;
}

/** Nothing that is tried again will make these items arrive. */
export class ExportRefused extends Error {
  override readonly name = 'ExportRefused';
}
