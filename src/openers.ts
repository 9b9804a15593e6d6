import type { Host, HostOptions, LedgerSink, LedgerSinkOptions } from './core/host.js';
import type { LedgerReader } from './core/ledger.js';
import { isObject, isText, makeInvalid, requireObject } from './core/option-checks.js';

/**
 * Opens the host in this thread: what the tracker runs in a thread of its own. See `HostOptions`; rejects with
 * `OPTION_INVALID`, `PROVIDER_INVALID`, `PROXY_UNSUPPORTED`, `UPSTREAM_CA_UNREADABLE`, `PRICES_INVALID`,
 * `EXPORTER_INVALID`, `HOME_UNUSABLE`, and the codes of the CA. Loaded on use.
 */
export async function openHost(options: HostOptions): Promise<Host> {
  const given = requireObject(options, 'openHost');
  if (!isText(given.home)) throw makeInvalid('home', given.home, 'the path of a folder');
  if (!isObject(given.env)) throw makeInvalid('env', given.env, 'an object of variables');
  const host = await import('./host/host.js');
  return await host.openHost(options);
}

/**
 * Opens the ledger of a home as a sink of trackers, without a tap: for feedback that comes later, in a program that makes no
 * calls. Rejects with `OPTION_INVALID`, `EXPORTER_INVALID`. Loaded on use.
 */
export async function openEventSink(options: LedgerSinkOptions): Promise<LedgerSink> {
  const given = requireObject(options, 'openEventSink');
  if (!isText(given.home)) throw makeInvalid('home', given.home, 'the path of a folder');
  const { openEventSink: open } = await import('./host/event-sink.js');
  return await open(options);
}

/**
 * Opens the ledger of a home for reading, also while others write. Its methods throw `STORE_UNOPENABLE`, `STORE_NEWER`,
 * `STORE_LOCKED` or `STORE_FAILED`. Rejects with `OPTION_INVALID`. Loaded on use.
 */
export async function openLedgerReader(
  place: { readonly home: string } | { readonly path: string },
): Promise<LedgerReader> {
  const given = requireObject(place, 'openLedgerReader');
  const [name] = Object.keys(given);
  if (name !== 'home' && name !== 'path') throw makeInvalid('the place of a ledger', place, '{ home } or { path }');
  if (!isText(given[name])) throw makeInvalid(name, given[name], 'a path');
  const storage = await import('./storage/ledger-reader.js');
  return storage.openLedgerReader(place);
}
