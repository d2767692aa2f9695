import type { Rectangle } from 'electron';

/** Design size of the popover, in points. */
export const POPOVER_SIZE = { width: 420, height: 640 } as const;

/** Distance to the menu bar, and margin to the edges of the screen. */
const GAP = 4;
const MARGIN = 8;

export interface PopoverPlace {
  /** The tray icon; all zero if the platform does not report it (Linux). */
  tray: Rectangle;
  /** The icon's screen without menu bar and dock. */
  workArea: Rectangle;
  platform: NodeJS.Platform;
}

/** Bounds of the popover: centred under the icon, or above it if the bar is at the bottom; always fully on screen. */
export function popoverBounds({ tray, workArea, platform }: PopoverPlace): Rectangle {
  const width = Math.min(POPOVER_SIZE.width, workArea.width - 2 * MARGIN);
  const height = Math.min(POPOVER_SIZE.height, workArea.height - 2 * MARGIN);
  const right = workArea.x + workArea.width - width - MARGIN;
  const bottom = workArea.y + workArea.height - height - MARGIN;
  if (tray.width === 0 && tray.height === 0) {
    return { x: right, y: platform === 'win32' ? bottom : workArea.y + MARGIN, width, height };
  }
  const barIsAbove = tray.y + tray.height / 2 < workArea.y + workArea.height / 2;
  const below = Math.max(tray.y + tray.height, workArea.y) + GAP;
  const above = Math.min(tray.y, workArea.y + workArea.height) - height - GAP;
  return {
    x: clamp(Math.round(tray.x + tray.width / 2 - width / 2), workArea.x + MARGIN, right),
    y: clamp(barIsAbove ? below : above, workArea.y, bottom),
    width,
    height,
  };
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(value, most));
}
