import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32, deflateSync } from 'node:zlib';

/**
 * Draws the menubar icons and the app icon: `node resources/tray/draw.js` writes them anew, the same each time.
 * Shapes are signed distances (negative inside), so edges are smooth at every size without sampling.
 *
 * @typedef {(x: number, y: number) => number} Shape distance to the edge, in points
 * @typedef {{ shape: Shape, color: [number, number, number], alpha: number }} Layer
 */

const BLACK = /** @type {[number, number, number]} */ ([0, 0, 0]);

/** A stroke with round ends. @returns {Shape} */
function stroke(x1, y1, x2, y2, width) {
  const length2 = (x2 - x1) ** 2 + (y2 - y1) ** 2;
  return (x, y) => {
    const along = length2 === 0 ? 0 : ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / length2;
    const t = Math.max(0, Math.min(1, along));
    return Math.hypot(x - x1 - t * (x2 - x1), y - y1 - t * (y2 - y1)) - width / 2;
  };
}

/** @returns {Shape} */
function circle(cx, cy, radius) {
  return (x, y) => Math.hypot(x - cx, y - cy) - radius;
}

/** Only the edge of a shape, drawn inside it. @returns {Shape} */
function outline(shape, width) {
  return (x, y) => Math.abs(shape(x, y) + width / 2) - width / 2;
}

/** @returns {Shape} */
function without(shape, ...holes) {
  return (x, y) => Math.max(shape(x, y), ...holes.map((hole) => -hole(x, y)));
}

/** A square with round corners around the middle. @returns {Shape} */
function roundedSquare(middle, half, radius) {
  return (x, y) => {
    const dx = Math.abs(x - middle) - half + radius;
    const dy = Math.abs(y - middle) - half + radius;
    return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - radius;
  };
}

/** A triangle standing on its base, corners rounded. @returns {Shape} */
function triangle(cx, top, bottom, halfBase, radius) {
  const slope = Math.hypot(bottom - top, halfBase);
  return (x, y) => {
    const side = ((bottom - top) * Math.abs(x - cx) - halfBase * (y - top)) / slope;
    const base = y - bottom;
    const a = side + radius;
    const b = base + radius;
    return Math.hypot(Math.max(a, 0), Math.max(b, 0)) + Math.min(Math.max(a, b), 0) - radius;
  };
}

/** Black with transparency: macOS colours template images itself. 18 points wide. */
const ink = (shape, alpha = 1) => ({ shape, color: BLACK, alpha });
// Leaning, or two bars would read as "paused".
const tall = (x) => stroke(x + 1.4, 4, x - 1.4, 14, 3.4);
const short = (x) => stroke(x + 1, 3.2, x - 1, 9.8, 3.4);
const LIGHTER = 0.5;

/** @type {Record<string, Layer[]>} */
const trayIcons = {
  healthy: [ink(tall(5.8)), ink(tall(12.2), LIGHTER)],
  busy: [ink(short(5.8)), ink(short(12.2), LIGHTER), ink(circle(9, 15.2, 1.7))],
  degraded: [ink(outline(tall(5.8), 1)), ink(tall(12.2), LIGHTER)],
  attention: [
    ink(without(triangle(9, 1.2, 16.4, 8.6, 1.2), stroke(9, 7, 9, 10.6, 1.7), circle(9, 13.5, 1.05))),
  ],
};

/** Violet for MLX, teal for Ollama, as in the app. 1,024 points wide, with the margin that macOS icons have. */
const appIcon = [
  { shape: roundedSquare(512, 412, 185), color: [27, 28, 31], alpha: 1 },
  { shape: stroke(448, 330, 344, 694, 128), color: [182, 147, 255], alpha: 1 },
  { shape: stroke(680, 330, 576, 694, 128), color: [95, 208, 191], alpha: 1 },
];

/**
 * @param {Layer[]} layers
 * @param {number} points width of the drawing
 * @param {number} scale pixels a point
 * @returns {{ size: number, pixels: Buffer }} RGBA
 */
function paint(layers, points, scale) {
  const size = points * scale;
  const pixels = Buffer.alloc(size * size * 4);
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      paintPixel(
        pixels,
        (row * size + column) * 4,
        layers,
        (column + 0.5) / scale,
        (row + 0.5) / scale,
        scale,
      );
    }
  }
  return { size, pixels };
}

function paintPixel(pixels, at, layers, x, y, scale) {
  for (const { shape, color, alpha } of layers) {
    const cover = Math.max(0, Math.min(1, 0.5 - shape(x, y) * scale)) * alpha;
    if (cover === 0) continue;
    const under = pixels[at + 3] / 255;
    const total = cover + under * (1 - cover);
    for (let part = 0; part < 3; part += 1) {
      pixels[at + part] = Math.round((color[part] * cover + pixels[at + part] * under * (1 - cover)) / total);
    }
    pixels[at + 3] = Math.round(total * 255);
  }
}

/** A PNG file: signature, header, one compressed block of unfiltered rows, end. */
function png({ size, pixels }) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 6, 0, 0, 0], 8);
  const rows = Buffer.alloc(size * (size * 4 + 1));
  for (let row = 0; row < size; row += 1) {
    pixels.copy(rows, row * (size * 4 + 1) + 1, row * size * 4, (row + 1) * size * 4);
  }
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/**
 * All icons by their path below `resources/`.
 *
 * @returns {Map<string, { size: number, pixels: Buffer }>}
 */
export function drawIcons() {
  const icons = new Map();
  for (const [name, layers] of Object.entries(trayIcons)) {
    icons.set(`tray/${name}Template.png`, paint(layers, 18, 1));
    icons.set(`tray/${name}Template@2x.png`, paint(layers, 18, 2));
  }
  icons.set('icon.png', paint(appIcon, 1024, 1));
  return icons;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const resources = dirname(dirname(fileURLToPath(import.meta.url)));
  for (const [path, picture] of drawIcons()) writeFileSync(join(resources, path), png(picture));
}
