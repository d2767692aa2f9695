import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { resourcesDir } from '../../../resources/setup/lib/manifest.js';

const folder = join(resourcesDir, 'setup');
const scripts = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.js'),
);

it.each(scripts)('%s runs before anything is installed: it imports only Node and its neighbours', (file) => {
  const text = readFileSync(join(folder, file), 'utf8');
  const imports = [...text.matchAll(/^(?:import|export)\b[^'"]*?from '([^']+)'|^import '([^']+)'/gm)];
  const names = imports.map((match) => match[1] ?? match[2] ?? '');
  expect(names.filter((name) => !name.startsWith('node:') && !name.startsWith('./'))).toEqual([]);
});
