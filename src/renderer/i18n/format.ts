/**
 * Numbers for display: at most two significant digits, units and decimal separators of the language. Pure functions;
 * words are passed in as `Words`, so that tests do not need i18next.
 */

export interface DurationWords {
  ms: (n: string) => string;
  s: (n: string) => string;
  min: (n: string) => string;
  minS: (m: string, s: string) => string;
  h: (n: string) => string;
  hMin: (h: string, m: string) => string;
  dH: (d: string, h: string) => string;
}

const formatters = new Map<string, Intl.NumberFormat>();

/** A cached `Intl.NumberFormat`: creating one costs more than using it a hundred times. */
function numberFormat(language: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = language + JSON.stringify(options);
  let format = formatters.get(key);
  if (!format) {
    format = new Intl.NumberFormat(language, options);
    formatters.set(key, format);
  }
  return format;
}

export function formatNumber(value: number, language: string, maximumFractionDigits = 0): string {
  return numberFormat(language, { maximumFractionDigits }).format(value);
}

/** Two significant digits below ten, whole numbers above. */
export function formatShort(value: number, language: string): string {
  return formatNumber(value, language, Math.abs(value) < 9.95 ? 1 : 0);
}

/** `percent` is 0–100. */
export function formatPercent(percent: number, language: string): string {
  return numberFormat(language, { style: 'percent', maximumFractionDigits: 0 }).format(percent / 100);
}

const SIZE_UNITS = ['megabyte', 'gigabyte', 'terabyte'] as const;

function formatUnits(value: number, base: number, language: string): string {
  let scaled = value / base ** 2;
  let index = 0;
  while (scaled >= base * 0.9995 && index < SIZE_UNITS.length - 1) {
    scaled /= base;
    index += 1;
  }
  const maximumFractionDigits = scaled < 9.95 ? 1 : 0;
  return numberFormat(language, { style: 'unit', unit: SIZE_UNITS[index], maximumFractionDigits }).format(
    scaled,
  );
}

/** Size on disk or on the wire, in powers of 1000 as Finder and model libraries count. */
export function formatFileSize(bytes: number, language: string): string {
  return formatUnits(bytes, 1000, language);
}

/** Memory in powers of 1024, as it is sold and as Activity Monitor counts. */
export function formatMemory(bytes: number, language: string): string {
  return formatUnits(bytes, 1024, language);
}

/** Tokens in the units in which context lengths are given: `32K`, `1M`; other numbers in full. */
export function formatTokens(tokens: number, language: string): string {
  if (tokens >= 1024 ** 2 && tokens % 1024 ** 2 === 0)
    return `${formatNumber(tokens / 1024 ** 2, language)}M`;
  if (tokens >= 1024 && tokens % 1024 === 0) return `${formatNumber(tokens / 1024, language)}K`;
  return formatNumber(tokens, language);
}

/** Parameters, given in billions: `7.6B`, `135M`. */
export function formatParameters(billions: number, language: string): string {
  if (billions < 1) return `${formatNumber(billions * 1000, language)}M`;
  return `${formatNumber(billions, language, 1)}B`;
}

/** A duration in ms: `0.2 s`, `42 s`, `2 min`, `3 h 12 min`, `2 d 4 h`. */
export function formatDuration(ms: number, language: string, words: DurationWords): string {
  const whole = (value: number) => formatNumber(value, language);
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 0.0995) return words.ms(whole(seconds * 1000));
  if (seconds < 59.5) return words.s(formatShort(seconds, language));
  const rounded = Math.round(seconds);
  if (rounded < 180 && rounded % 60 !== 0) {
    return words.minS(whole(Math.floor(rounded / 60)), whole(rounded % 60));
  }
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return words.min(whole(minutes));
  const hours = Math.floor(minutes / 60);
  if (hours < 24)
    return minutes % 60 === 0 ? words.h(whole(hours)) : words.hMin(whole(hours), whole(minutes % 60));
  return words.dH(whole(Math.floor(hours / 24)), whole(hours % 24));
}

/** Remaining time, rounded to the precision of an estimate: whole seconds, tens from 20 s, minutes from 90 s. */
export function roundEta(ms: number): number {
  const seconds = Math.max(1, Math.round(ms / 1000));
  if (seconds < 20) return seconds * 1000;
  if (seconds < 90) return Math.round(seconds / 10) * 10_000;
  return Math.round(seconds / 60) * 60_000;
}

/** An exact remaining time, rounded so that it changes rarely: hours, then minutes, seconds in the last minute. */
export function roundCountdown(ms: number): number {
  const step = ms > 3 * 3_600_000 ? 3_600_000 : ms > 60_000 ? 60_000 : 1_000;
  return Math.max(1_000, Math.ceil(ms / step) * step);
}

/** Clock time, such as 14:20. */
export function formatClock(at: number, language: string): string {
  return new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', hour12: false }).format(at);
}

/** A past moment in its shortest clear form: clock time today, day and month before that. */
export function formatWhen(at: number, now: number, language: string): string {
  if (new Date(at).toDateString() === new Date(now).toDateString()) return formatClock(at, language);
  return new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short' }).format(at);
}

/** The full date and time, for a tooltip. */
export function formatMoment(at: number, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' }).format(at);
}

export type DayGroup = 'today' | 'yesterday' | 'week' | 'earlier';

/** The heading of the history for a chat, by calendar day. */
export function dayGroup(at: number, now: number): DayGroup {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  if (at >= midnight) return 'today';
  const yesterday = new Date(midnight).setDate(new Date(midnight).getDate() - 1);
  if (at >= yesterday) return 'yesterday';
  const week = new Date(midnight).setDate(new Date(midnight).getDate() - 7);
  return at >= week ? 'week' : 'earlier';
}
