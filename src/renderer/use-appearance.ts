import { useEffect } from 'react';
import { resolveLanguage, setLanguage } from './i18n/i18n';
import { usePart } from './stores/core-store';

const THEME = 'tandem.theme';
const LANGUAGE = 'tandem.language';

function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Without storage the next start shows the system's looks for a moment.
  }
}

function recall(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function applyTheme(theme: string | null): void {
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

/** Before the first paint: the looks of last time, so that nothing flashes. Returns the language. */
export function firstAppearance(): 'en' | 'ru' {
  applyTheme(recall(THEME));
  return resolveLanguage(recall(LANGUAGE), navigator.language);
}

/** Keeps theme and language as the settings say. */
export function useAppearance(): void {
  const theme = usePart('settings')?.theme?.value;
  const language = usePart('settings')?.language?.value;
  const locale = usePart('app')?.locale;
  useEffect(() => {
    if (typeof theme !== 'string') return;
    applyTheme(theme);
    remember(THEME, theme);
  }, [theme]);
  useEffect(() => {
    if (locale === undefined) return;
    const resolved = resolveLanguage(language, locale);
    setLanguage(resolved);
    remember(LANGUAGE, resolved);
  }, [language, locale]);
}
