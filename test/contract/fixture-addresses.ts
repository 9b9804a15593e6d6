import type { Dialect } from '../../src/core/wire.js';
import { CATALOGUE } from '../../src/providers/catalogue.js';
import { answerCases, errorCases, errorStreamCases } from './provider-answers.js';
import { readContentType, readFixture } from './provider-fixtures.js';

/** A fixture as a provider serves it: where it is asked for, by what, and what comes. */
export interface ServedFixture {
  readonly file: string;
  readonly host: string;
  readonly path: string;
  readonly request: string;
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
  readonly isStream: boolean;
}

const methodOfStreams: Readonly<Record<string, string>> = {
  converse: 'converse-stream',
  invoke: 'invoke-with-response-stream',
};

/** Every fixture the contract suite reads, at an address of the catalogue that speaks its dialect. */
export function listServedFixtures(): readonly ServedFixture[] {
  const whole = answerCases.flatMap(({ answer, forms, dialect }) =>
    forms.map((form) => serve({ file: `${answer}.${form}`, dialect, status: 200 })),
  );
  const errors = errorCases.map(({ file, dialect, status }) => serve({ file, dialect, status }));
  const broken = errorStreamCases.map(({ file, dialect }) => serve({ file, dialect, status: 200 }));
  // A fixture may be read by two dialects, each at an address of its own.
  return [...whole, ...errors, ...broken];
}

function serve({ file, dialect, status }: { file: string; dialect: Dialect; status: number }): ServedFixture {
  const isStream = /\.(?:sse|ndjson|events|array\.json)$/.test(file);
  const address = findAddress(dialect, file.endsWith('.events'));
  // Each asks something of its own, so that no two are the same request; and for its usage, which is then not hidden from it.
  const usage = /\/(?:chat\/)?completions$/.test(address.path) ? { stream_options: { include_usage: true } } : {};
  const request = JSON.stringify({ model: 'a-model', input: file, ...(isStream && { stream: true, ...usage }) });
  const framing = dialect.api === 'streamGenerateContent' && file.endsWith('.sse') ? '?alt=sse' : '';
  return {
    ...{ file, ...address, path: `${address.path}${framing}`, request, status },
    ...{ contentType: readContentType(file), body: readFixture(file), isStream },
  };
}

function findAddress(dialect: Dialect, isEventStream: boolean): { readonly host: string; readonly path: string } {
  for (const { hosts, apis } of CATALOGUE) {
    for (const api of apis) {
      const path = api.dialect === dialect ? api.paths[0] : undefined;
      const host = hosts[0];
      if (path === undefined || host === undefined) continue;
      return { host: host.replace('*', 'us-east-1'), path: fill(path, isEventStream) };
    }
  }
  throw new Error(`no address of the catalogue speaks ${dialect.api}`);
}

function fill(path: string, isEventStream: boolean): string {
  const asked = path.replaceAll('*', 'a-model');
  return isEventStream
    ? asked.replace(/\/(converse|invoke)$/, (_, method: string) => `/${methodOfStreams[method]}`)
    : asked;
}
