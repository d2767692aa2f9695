/** Key names that Electron accepts (electronjs.org, "Keyboard Shortcuts"), without media keys and the number pad. */
const MODIFIER =
  /^(?:Command|Cmd|Control|Ctrl|CommandOrControl|CmdOrCtrl|Alt|Option|AltGr|Shift|Super|Meta)$/i;
const KEY =
  /^(?:[A-Z0-9]|F(?:[1-9]|1\d|2[0-4])|[!-*,-/:-@[-`{-~]|Plus|Space|Tab|Backspace|Delete|Insert|Return|Enter|Up|Down|Left|Right|Home|End|PageUp|PageDown|Escape|Esc)$/i;

/**
 * Is this a valid global shortcut in Electron's notation (`Alt+Space`)? It must not block a key for typing, so it needs
 * a modifier other than Shift, or a function key.
 */
export function isAccelerator(text: string): boolean {
  const parts = text.split('+');
  const key = parts.pop() ?? '';
  if (!KEY.test(key) || !parts.every((part) => MODIFIER.test(part))) return false;
  return /^F\d/i.test(key) || parts.some((part) => !/^Shift$/i.test(part));
}
