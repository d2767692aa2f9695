import { own } from '../../../shared/own';

interface Keys {
  code: string;
  metaKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}

const PLAIN = /^(?:Key([A-Z])|Digit(\d)|(F\d{1,2})|(Space|Up|Down|Left|Right))$/;

/** The combination in Electron's notation (`Alt+Space`); null for a modifier alone or a plain key. */
export function accelerator({ code, metaKey, ctrlKey, altKey, shiftKey }: Keys): string | null {
  const match = PLAIN.exec(code.replace('Arrow', ''));
  const key = match?.slice(1).find((group) => group !== undefined);
  if (key === undefined) return null;
  const modifiers = [ctrlKey && 'Control', altKey && 'Alt', shiftKey && 'Shift', metaKey && 'Command'].filter(
    Boolean,
  );
  // A global shortcut must not take a letter away from normal typing.
  const harmless = ctrlKey || altKey || metaKey || /^F\d/.test(key);
  return harmless ? [...modifiers, key].join('+') : null;
}

const SIGNS: Record<string, string> = {
  Alt: '⌥',
  Shift: '⇧',
  Command: '⌘',
  Control: '⌃',
  CommandOrControl: '⌘',
};

/** Electron's notation as key symbols. */
export function acceleratorKeys(value: string): string[] {
  return value
    .split('+')
    .filter((key) => key !== '')
    .map((key) => own(SIGNS, key) ?? key.toLowerCase());
}
