import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CallFilter,
  type EventListener,
  type HostOptions,
  LLMTracker,
  openHost,
  openLedgerReader,
  type ProviderRegistration,
  type ScopeOptions,
  splitConcurrency,
  type TrackerOptions,
} from '../../dist/index.js';
import { makeChat, openTrackerLab, type TrackerLab } from './tracker-lab.js';

let lab: TrackerLab;
let tracker: LLMTracker;
beforeAll(async () => {
  lab = await openTrackerLab();
  tracker = await lab.makeTracker().start();
});
afterAll(async () => await lab.close());

/** As a program without types passes it. */
const any = <T>(value: unknown): T => value as T;
const make = (options: unknown) => () => new LLMTracker(any<TrackerOptions>(options));
const open = (options: unknown) => async () => await tracker.open(any<ScopeOptions>(options));
const query = (filter: unknown, options?: unknown) => async () =>
  await tracker.records(any<CallFilter>(filter), any<{ limit?: number } | undefined>(options));
const register = (registration: unknown) => async () =>
  await tracker.registerProvider(any<ProviderRegistration>(registration));

type Misuse = readonly [what: string, code: string, misuse: () => unknown, message: RegExp];

const wrongOptions: readonly Misuse[] = [
  ['an option that does not exist', 'OPTION_INVALID', make({ confgKey: 'x' }), /no option "confgKey"/],
  ['options that are a text', 'OPTION_INVALID', make('d1'), /"d1" is no object/],
  ['options that are a list', 'OPTION_INVALID', make([]), /a list is no object/],
  ['options that are null', 'OPTION_INVALID', make(null), /null is no object/],
  ['an id that is no text', 'OPTION_INVALID', make({ dataId: 7 }), /dataId 7/],
  ['an env that is none', 'OPTION_INVALID', make({ env: 3 }), /env 3/],
  ['providers that are no list', 'OPTION_INVALID', make({ providers: { name: 'x' } }), /providers a value of type/],
  ['a list with a hole', 'OPTION_INVALID', make({ providers: [null] }), /providers a list/],
  ['a policy for bodies that there is not', 'OPTION_INVALID', make({ bodies: 'all' }), /bodies "all"/],
  ['a patience that is none', 'OPTION_INVALID', make({ drainMs: Number.NaN }), /drainMs NaN/],
  ['a flag that is none', 'OPTION_INVALID', make({ credentials: 'a:b' }), /credentials "a:b"/],
  [
    'a router that there is none of',
    'OPTION_INVALID',
    make({ router: { name: 'cheapest' } }),
    /router "cheapest": there is none/,
  ],
  [
    'a router with an option that is wrong',
    'OPTION_INVALID',
    make({ router: { name: 'random', options: { candidates: 'gpt-4o' } } }),
    /candidates/,
  ],
  ['a deadline that is none', 'OPTION_INVALID', make({ routerDeadlineMs: 0 }), /routerDeadlineMs 0/],
  ['a mode of the cache that there is not', 'OPTION_INVALID', make({ cache: 'always' }), /cache "always"/],
  ['a cache that is a list', 'OPTION_INVALID', make({ cache: ['on'] }), /cache a list/],
  ['a time to live that is none', 'OPTION_INVALID', make({ cache: { ttlMs: '5m' } }), /ttlMs "5m"/],
  ['a pace that is none', 'OPTION_INVALID', open({ cache: { replaySpeed: 0 } }), /replaySpeed 0/],
  ['an option of the cache that does not exist', 'OPTION_INVALID', open({ cache: { ttl: 1 } }), /no option "ttl"/],
  ['a blank folder for the cache', 'OPTION_INVALID', make({ cacheDir: ' ' }), /cacheDir " "/],
  ['a cache without room', 'OPTION_INVALID', make({ cacheMaxBytes: 0 }), /cacheMaxBytes 0/],
  ['a gateway, which is not there', 'OPTION_INVALID', make({ gatewayUrl: 'http://x' }), /option gatewayUrl/],
  ['an option of a scope that does not exist', 'OPTION_INVALID', open({ homee: 1 }), /no option "homee"/],
  ['an empty id', 'OPTION_INVALID', open({ runId: ' ' }), /runId " "/],
  ['a version that is none', 'OPTION_INVALID', open({ version: 1.5 }), /version 1.5/],
  ['a router that is no function', 'OPTION_INVALID', open({ router: 'cheapest' }), /router "cheapest"/],
  ['force that is no flag', 'OPTION_INVALID', open({ force: 1 }), /force 1/],
];

const wrongCalls: readonly Misuse[] = [
  ['no function', 'OPTION_INVALID', () => tracker.track({}, any<() => void>(undefined)), /no function/],
  [
    'options last',
    'OPTION_INVALID',
    () =>
      tracker.track(
        any<ScopeOptions>(() => 1),
        any({}),
      ),
    /options come first/,
  ],
  ['a filter by what there is not', 'OPTION_INVALID', query({ dataID: 'd1' }), /no option "dataID"/],
  ['a filter that is none', 'OPTION_INVALID', query('x'), /"x" is no object/],
  ['a limit in the filter', 'OPTION_INVALID', query({ limit: 1 }), /no option "limit"/],
  ['a limit below 0', 'OPTION_INVALID', query({}, { limit: -1 }), /limit -1/],
  ['a sum by no filter', 'OPTION_INVALID', () => tracker.getUsage(any('x')), /"x" is no object/],
  ['a listener that is none', 'OPTION_INVALID', () => tracker.onEvent(any<EventListener>('x')), /listener "x"/],
  ['a split of nothing', 'OPTION_INVALID', () => splitConcurrency(any(undefined), 1), /maxConcurrent undefined/],
  ['a host of nothing', 'OPTION_INVALID', () => openHost(any<HostOptions>(undefined)), /undefined is no object/],
  ['a host without an env', 'OPTION_INVALID', () => openHost(any<HostOptions>({ home: '/x' })), /env undefined/],
  ['a ledger of nowhere', 'OPTION_INVALID', () => openLedgerReader(any({})), /place of a ledger/],
  ['a session of another tracker', 'SESSION_CLOSED', () => tracker.getSessionEnv({ sessionId: 's' }), /s is not open/],
  ['flags outside a scope', 'SESSION_CLOSED', () => tracker.containerArgs(), /not asked inside a scope/],
  ['a container that cannot get in', 'CONTAINER_UNREACHABLE', () => tracker.track((s) => s.containerArgs()), /cannot/],
];

const wrongProviders: readonly Misuse[] = [
  ['a provider without a host', 'PROVIDER_INVALID', register({ name: 'x', baseUrl: '/v1' }), /x.*"\/v1"/],
  ['a provider without an address', 'PROVIDER_INVALID', register({ name: 'x' }), /x/],
  ['a provider that is none', 'PROVIDER_INVALID', register(null), /provider/],
  ['a provider without a name', 'PROVIDER_INVALID', register({ name: '', baseUrl: 'https://x.example' }), /name/],
  ['a built-in name', 'OPTION_CONFLICT', register({ name: 'openai', baseUrl: 'https://x.example' }), /built-in/],
  [
    'two providers of one name',
    'OPTION_CONFLICT',
    () => {
      const providers = ['https://a.example', 'https://b.example'].map((baseUrl) => ({ name: 'x', baseUrl }));
      return lab.makeTracker({ providers }).start();
    },
    /two registrations/,
  ],
];

const wrongMoments: readonly Misuse[] = [
  ['a scope before start', 'TRACKER_NOT_STARTED', () => lab.makeTracker().track(() => 1), /not started/],
  ['a query before start', 'TRACKER_NOT_STARTED', () => lab.makeTracker().records(), /never started/],
  ['flags before start', 'TRACKER_NOT_STARTED', () => lab.makeTracker().containerArgs(), /not started/],
  ['a home that cannot be', 'HOME_UNUSABLE', () => lab.makeTracker({ home: '/dev/null/home' }).start(), /home/],
  [
    'a scope when all is closed',
    'TRACKER_CLOSED',
    async () => {
      const closed = lab.makeTracker();
      await closed.close();
      await closed.track(() => 1);
    },
    /closed/,
  ],
];

describe('misuse is answered by one sentence, a code and what to do', () => {
  it.each([...wrongOptions, ...wrongCalls, ...wrongProviders, ...wrongMoments])(
    '%s: %s',
    async (_what, code, misuse, message) => {
      const error = await Promise.resolve()
        .then(misuse)
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ name: 'TrackerError', code });
      expect((error as Error).message).toMatch(message);
      expect((error as Error).message).toMatch(/^Could not [^\n]+\.$/);
      expect((error as { hint: unknown }).hint).toMatch(/^[A-Z][^\n]{8,}$/);
    },
  );

  it.each(['runId', 'configKey', 'dataId', 'agentId'])(
    '%s of tracker and scope that differ: OPTION_CONFLICT',
    async (name) => {
      const own = await lab.makeTracker({ [name]: 'mine' }).start();
      const hint = expect.stringContaining(name) as string;
      await expect(own.track({ [name]: 'yours' }, () => 1)).rejects.toMatchObject({ code: 'OPTION_CONFLICT', hint });
      expect(await own.track({ [name]: 'mine' }, ({ session }) => Reflect.get(session, name) as string)).toBe('mine');
      await own.stop();
    },
  );
});

it('a provider registered again under its name takes the place of the first', async () => {
  const url = `http://localhost:${lab.provider.localPort}`;
  const own = await lab.makeTracker({ providers: [{ name: 'mine', baseUrl: url }] }).start();
  const ask = async () => await fetch(`${url}/v1/chat/completions`, { method: 'POST', body: makeChat('local') });
  await own.track(async () => await (await ask()).text());
  await own.registerProvider({ name: 'mine', baseUrl: 'http://localhost:9' });
  await own.track(async () => await (await ask()).text());
  expect(await own.records()).toHaveLength(1);
  await own.stop();
});
