import { resolveLanguage, setLanguage } from '../i18n/i18n';
import { useCore } from '../stores/core-store';

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

/** The looks of last time, for as long as the settings are not known. Returns the language. */
export function firstAppearance(): 'en' | 'ru' {
  applyTheme(recall(THEME));
  return resolveLanguage(recall(LANGUAGE), navigator.language);
}

/** Keeps theme and language as the settings say, from before the first picture is drawn. Returns its undoing. */
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
