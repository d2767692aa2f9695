import { describe, expect, it } from 'vitest';
import {
  type DurationWords,
  dayGroup,
  formatDuration,
  formatFileSize,
  formatMemory,
  formatParameters,
  formatPercent,
  formatShort,
  formatTokens,
  roundEta,
} from '../../../../src/renderer/i18n/format';

const words: DurationWords = {
  ms: (n) => `${n} ms`,
  s: (n) => `${n} s`,
  min: (n) => `${n} min`,
  minS: (m, s) => `${m} min ${s} s`,
  h: (n) => `${n} h`,
  hMin: (h, m) => `${h} h ${m} min`,
  dH: (d, h) => `${d} d ${h} h`,
};

/** Intl uses no-break spaces; which kind is not tested here. */
const plain = (text: string) => text.replaceAll(/\s/g, ' ');

it.each([
  [512, '512'],
  [4_096, '4K'],
  [40_960, '40K'],
  [1_048_576, '1M'],
  [1_000_000, '1,000,000'],
  [0, '0'],
])('formatTokens %i', (tokens, text) => {
  expect(formatTokens(tokens, 'en')).toBe(text);
});

it.each([
  [0.135, '135M'],
  [8, '8B'],
  [32.76, '32.8B'],
  [671, '671B'],
])('formatParameters %d', (billions, text) => {
  expect(formatParameters(billions, 'en')).toBe(text);
});

describe('formatDuration', () => {
  it.each([
    [42, '42 ms'],
    [210, '0.2 s'],
    [1_920, '1.9 s'],
    [42_300, '42 s'],
    [60_000, '1 min'],
    [95_000, '1 min 35 s'],
    [600_000, '10 min'],
    [3_600_000, '1 h'],
    [11_520_000, '3 h 12 min'],
    [187_200_000, '2 d 4 h'],
    [-5, '0 ms'],
  ])('%i ms is %s', (ms, expected) => {
    expect(formatDuration(ms, 'en', words)).toBe(expected);
  });

  it('has a decimal comma in Russian', () => {
    expect(formatDuration(900, 'ru', words)).toBe('0,9 s');
  });
});

describe('sizes', () => {
  it('counts files in powers of 1000 and memory in powers of 1024', () => {
    expect(formatFileSize(20e9, 'en')).toBe('20 GB');
    expect(formatFileSize(2.2e9, 'en')).toBe('2.2 GB');
    expect(formatFileSize(999.9e6, 'en')).toBe('1 GB');
    expect(formatMemory(96 * 1024 ** 3, 'en')).toBe('96 GB');
    expect(formatMemory(0.3 * 1024 ** 3, 'en')).toBe('307 MB');
  });

  it('speaks Russian', () => {
    expect(plain(formatFileSize(2.2e9, 'ru'))).toBe('2,2 ГБ');
    expect(plain(formatPercent(57.4, 'ru'))).toBe('57 %');
    expect(formatShort(8.44, 'ru')).toBe('8,4');
  });
});

describe('roundEta', () => {
  it.each([
    [200, 1_000],
    [7_400, 7_000],
    [41_000, 40_000],
    [96_000, 120_000],
  ])('%i ms is about %i ms', (ms, expected) => {
    expect(roundEta(ms)).toBe(expected);
  });
});

describe('dayGroup', () => {
  it('goes by calendar days, not by hours', () => {
    const now = new Date(2026, 4, 20, 0, 30).getTime();
    expect(dayGroup(new Date(2026, 4, 20, 0, 5).getTime(), now)).toBe('today');
    expect(dayGroup(new Date(2026, 4, 19, 23, 59).getTime(), now)).toBe('yesterday');
    expect(dayGroup(new Date(2026, 4, 14, 12).getTime(), now)).toBe('week');
    expect(dayGroup(new Date(2026, 3, 1).getTime(), now)).toBe('earlier');
  });
});
