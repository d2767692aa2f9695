const MAC = /mac/i.test(navigator.platform);

const NAMES: Record<string, string> = {
  mod: MAC ? '⌘' : 'Ctrl',
  shift: MAC ? '⇧' : 'Shift',
  alt: MAC ? '⌥' : 'Alt',
};

/** Keys drawn as on the keyboard; `mod` is Command on a Mac and Control elsewhere. */
export function Shortcut({ keys }: { keys: readonly string[] }) {
  return (
    <kbd className="rounded-[4px] border border-line-2 px-1 font-sans text-ink-3 text-mini leading-[15px]">
      {keys.map((key) => NAMES[key] ?? key).join(MAC ? '' : '+')}
    </kbd>
  );
}

/** Is the platform's command key pressed? */
export function isMod(event: { metaKey: boolean; ctrlKey: boolean }): boolean {
  return MAC ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
}
