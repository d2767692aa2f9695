import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import {
  type DurationWords,
  formatClock,
  formatDuration,
  formatFileSize,
  formatMemory,
  formatMoment,
  formatNumber,
  formatParameters,
  formatPercent,
  formatShort,
  formatTokens,
  formatWhen,
  roundCountdown,
  roundEta,
} from './format';

/** Formatters bound to the current language. */
export function useFormat() {
  const { t, i18n } = useTranslation();
  const language = i18n.language;
  return useMemo(() => {
    const words: DurationWords = {
      ms: (n) => t('time.ms', { n }),
      s: (n) => t('time.s', { n }),
      min: (n) => t('time.min', { n }),
      minS: (m, s) => t('time.minS', { m, s }),
      h: (n) => t('time.h', { n }),
      hMin: (h, m) => t('time.hMin', { h, m }),
      dH: (d, h) => t('time.dH', { d, h }),
    };
    const duration = (ms: number) => formatDuration(ms, language, words);
    return {
      language,
      duration,
      countdown: (ms: number) => duration(roundCountdown(ms)),
      eta: (ms: number) => t('common.about', { time: duration(roundEta(ms)) }),
      number: (value: number, digits?: number) => formatNumber(value, language, digits),
      percent: (value: number) => formatPercent(value, language),
      fileSize: (bytes: number) => formatFileSize(bytes, language),
      memory: (bytes: number) => formatMemory(bytes, language),
      parameters: (billions: number) => formatParameters(billions, language),
      tokenCount: (tokens: number) => formatTokens(tokens, language),
      /** The same with its unit. */
      tokens: (tokens: number) => t('units.tokens', { n: formatTokens(tokens, language) }),
      speed: (value: number) => t('units.tokensPerSecond', { n: formatShort(value, language) }),
      clock: (at: number) => formatClock(at, language),
      when: (at: number, now: number) => formatWhen(at, now, language),
      moment: (at: number) => formatMoment(at, language),
    };
  }, [t, language]);
}

export type Format = ReturnType<typeof useFormat>;
