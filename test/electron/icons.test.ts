import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { inflateSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { drawIcons } from '../../resources/tray/draw.js';
import { TRAY_SHAPES } from '../../src/main/electron/tray-state';

const resources = resolve(import.meta.dirname, '..', '..', 'resources');

/** RGBA of a PNG with one block of unfiltered rows, as `draw.js` writes it. */
function pixelsOf(file: string): { size: number; pixels: Buffer } {
  const png = readFileSync(join(resources, file));
  const size = png.readUInt32BE(16);
  const start = png.indexOf('IDAT') + 4;
  const rows = inflateSync(png.subarray(start, start + png.readUInt32BE(start - 8)));
  const width = size * 4;
  const parts = Array.from({ length: size }, (_, row) =>
    rows.subarray(row * (width + 1) + 1, (row + 1) * (width + 1)),
  );
  return { size, pixels: Buffer.concat(parts) };
}

const icons = drawIcons() as Map<string, { size: number; pixels: Buffer }>;

it.each([...icons.keys()])('%s is what the script draws', (path) => {
  const drawn = icons.get(path);
  const committed = pixelsOf(path);
  expect(committed.size).toBe(drawn?.size);
  expect(drawn && committed.pixels.equals(drawn.pixels)).toBe(true);
});

it('gives every state of the tray a shape of its own, in both densities', () => {
  const shapes = TRAY_SHAPES.flatMap((shape) => [
    `tray/${shape}Template.png`,
    `tray/${shape}Template@2x.png`,
  ]);
  const pictures = shapes.map((path) => icons.get(path)?.pixels.toString('base64'));
  expect(pictures).not.toContain(undefined);
  expect(new Set(pictures).size).toBe(shapes.length);
});

it('draws template images in black only, for the system to colour', () => {
  for (const [path, { pixels }] of icons) {
    if (path.startsWith('tray/')) expect(pixels.every((value, at) => at % 4 === 3 || value === 0)).toBe(true);
  }
});
