import { resolveLanguage, setLanguage } from '../i18n/i18n';
import { useCore } from '../stores/core-store';

const THEME = 'tandem.theme';
const LANGUAGE = 'tandem.language';

function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Without storage the next start briefly shows the system's theme.
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

/** Applies the theme of the last session until the settings arrive. Returns the language. */
export function firstAppearance(): 'en' | 'ru' {
  applyTheme(recall(THEME));
  return resolveLanguage(recall(LANGUAGE), navigator.language);
}

/** Applies theme and language from the settings, from before the first paint. Returns a function that stops it. */
export function followAppearance(): () => void {
  return useCore.subscribe(({ snapshot }, { snapshot: old }) => {
    if (snapshot === null) return;
    const { settings, app } = snapshot;
    if (settings === old?.settings && app === old.app) return;
    const theme = settings.theme?.value;
    if (typeof theme === 'string') {
      applyTheme(theme);
      remember(THEME, theme);
    }
    const language = resolveLanguage(settings.language?.value, app.locale);
    setLanguage(language);
    remember(LANGUAGE, language);
  });
}
