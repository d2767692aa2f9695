/** Visible texts with a contrast below 4.5 against the first opaque background behind them. Runs in the page. */
export function paleTexts(): string[] {
  const channels = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = ([r = 0, g = 0, b = 0]: number[]) => {
    const linear = [r, g, b].map((c) =>
      c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * (linear[0] ?? 0) + 0.7152 * (linear[1] ?? 0) + 0.0722 * (linear[2] ?? 0);
  };
  const behind = (start: Element): string => {
    for (let element: Element | null = start; element; element = element.parentElement) {
      const color = getComputedStyle(element).backgroundColor;
      if ((channels(color)[3] ?? 1) === 1) return color;
    }
    return 'rgb(255, 255, 255)';
  };
  const pale: string[] = [];
  for (const element of document.body.querySelectorAll<HTMLElement>('*')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim());
    if (
      !own ||
      element.closest(':disabled, .sr-only, svg, option') ||
      !element.checkVisibility({ opacityProperty: true })
    )
      continue;
    const [text, ground] = [
      luminance(channels(getComputedStyle(element).color)),
      luminance(channels(behind(element))),
    ];
    const ratio = (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
    if (ratio < 4.5) pale.push(`${ratio.toFixed(2)} ${element.textContent?.trim().slice(0, 40)}`);
  }
  return pale;
}
