/** Visible controls that have no name or are smaller than 24 px. Runs in the page. */
export function poorControls(): { name: string; width: number; height: number }[] {
  const controls = document.querySelectorAll<HTMLElement>(
    'button, input, select, textarea, [role=switch], a[href]',
  );
  return [...controls]
    .filter((control) => control.checkVisibility())
    .map((control) => {
      const { width, height } = control.getBoundingClientRect();
      const labelled = control.getAttribute('aria-label') ?? control.textContent ?? '';
      return { name: labelled.trim(), width: Math.round(width), height: Math.round(height) };
    })
    .filter(({ name, width, height }) => name === '' || width < 24 || height < 24);
}

/** Visible parts that are wider than the window, by the start of their markup. Runs in the page. */
export function overflowing(): string[] {
  return [...document.querySelectorAll<HTMLElement>('main, section, nav, button, input, select')]
    .filter((element) => element.checkVisibility() && element.getBoundingClientRect().right > innerWidth + 1)
    .map((element) => element.outerHTML.slice(0, 90));
}
