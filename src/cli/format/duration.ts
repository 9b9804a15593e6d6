import { formatThreeDigits, unknownMark } from './number.js';

/** Milliseconds as a person reads them: `0.8 ms`, `812 ms`, `1.42 s`, `2 min 05 s`, `1 h 04 min`; unknown → `–`. */
export function formatDuration(durationMs: number | null): string {
  if (durationMs === null) return unknownMark;
  if (durationMs < 9.95) return `${durationMs.toFixed(1)} ms`;
  if (durationMs < 999.5) return `${Math.round(durationMs)} ms`;
  if (durationMs < 59_950) return `${formatThreeDigits(durationMs / 1000)} s`;
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${twoDigits(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
}

/** An instant, ISO 8601, as local wall time to the second: `2026-11-21 06:21:33`. */
export function formatTime(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const day = `${at.getFullYear()}-${twoDigits(at.getMonth() + 1)}-${twoDigits(at.getDate())}`;
  return `${day} ${twoDigits(at.getHours())}:${twoDigits(at.getMinutes())}:${twoDigits(at.getSeconds())}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
