import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SETTING_KEYS } from '../../src/shared/settings';

/** Checks which room may import which: the table of rooms, as a test. */

const SRC = resolve(import.meta.dirname, '..', '..', 'src');

interface Import {
  file: string;
  /** Path below `src` for our own files, else the package's name. */
  target: string;
  typeOnly: boolean;
}

const IMPORT_FORM = /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[^;'"]*?\sfrom\s+)?['"]([^'"]+)['"]/g;
const DYNAMIC_FORM = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

function importsOf(file: string): Import[] {
  const text = readFileSync(join(SRC, file), 'utf8');
  const found: Import[] = [];
  const add = (name: string, typeOnly: boolean) => {
    const target = name.startsWith('.') ? join(dirname(file), name) : name;
    found.push({ file, target, typeOnly });
  };
  for (const [, type, name] of text.matchAll(IMPORT_FORM)) if (name) add(name, type !== undefined);
  for (const [, name] of text.matchAll(DYNAMIC_FORM)) if (name) add(name, false);
  return found;
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file));
const imports = files.flatMap(importsOf);

/** Entry points of the program; no file imports them. */
const ENTRIES = new Set(['main/index.ts', 'main/headless.ts', 'renderer/main.tsx']);

/** `main/queue`, `renderer/features/chat`, `shared`. */
function roomOf(path: string): string {
  const depth = path.startsWith('renderer/features/')
    ? 3
    : path.startsWith('main/') || path.startsWith('renderer/')
      ? 2
      : 1;
  return path.split('/').slice(0, depth).join('/');
}

const COMMON = ['shared', 'main/ports'];
const OF_REQUESTS = ['main/router', 'main/times', 'main/models', 'main/queue', 'main/memory'];

/** What a room of main may import in addition to its own files; from rooms under `types`, only types. */
const MAIN_ROOMS: Record<string, { values: string[]; types: string[] }> = {
  'main/ports': { values: ['shared'], types: [] },
  'main/contract': { values: COMMON, types: [] },
  'main/queue': { values: COMMON, types: [] },
  'main/store': { values: COMMON, types: [] },
  'main/memory': { values: COMMON, types: [] },
  'main/supervisor': { values: COMMON, types: [] },
  'main/times': { values: COMMON, types: [] },
  'main/incidents': { values: COMMON, types: ['main/store', 'main/supervisor'] },
  'main/setup': { values: COMMON, types: ['main/backends'] },
  'main/backends': { values: [...COMMON, 'main/supervisor'], types: ['main/memory'] },
  'main/models': { values: [...COMMON, 'main/memory'], types: ['main/backends'] },
  'main/model-manager': {
    values: [...COMMON, 'main/models', 'main/router', 'main/backends'],
    types: ['main/dispatch', 'main/memory', 'main/store', 'main/times'],
  },
  'main/router': { values: [...COMMON, 'main/models'], types: ['main/backends'] },
  'main/dispatch': { values: [...COMMON, ...OF_REQUESTS], types: ['main/backends'] },
  'main/chat': { values: COMMON, types: ['main/dispatch', 'main/store'] },
  'main/gateway': { values: [...COMMON, 'main/contract'], types: ['main/dispatch'] },
  'main/web': { values: [...COMMON, 'main/contract'], types: ['main/core'] },
  'main/electron': { values: [...COMMON, 'main/contract'], types: ['main/core'] },
};
/** The room that wires all the others. */
const WIRING = 'main/core';

/** Rooms that each room imports from, including types; entry points are left out. */
function arrowsBetween(all: readonly Import[]): Map<string, Set<string>> {
  const arrows = new Map<string, Set<string>>();
  for (const { file, target } of all) {
    if (ENTRIES.has(file) || !isOwn(target) || roomOf(file) === roomOf(target)) continue;
    arrows.set(roomOf(file), (arrows.get(roomOf(file)) ?? new Set()).add(roomOf(target)));
  }
  return arrows;
}

/** Rooms that can be reached from themselves. */
function circlesOf(arrows: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const reached = (from: string): Set<string> => {
    const seen = new Set<string>();
    const open = [from];
    for (let room = open.pop(); room !== undefined; room = open.pop())
      for (const next of arrows.get(room) ?? []) {
        if (seen.has(next)) continue;
        seen.add(next);
        open.push(next);
      }
    return seen;
  };
  return [...arrows.keys()].filter((room) => reached(room).has(room));
}

/** Files that may name a backend or a kind, and why. All others get it from the instance. */
const MAY_NAME: Readonly<Record<string, string>> = {
  'main/backends/': 'the rooms of the kinds',
  'main/core/backend': 'the table of the instances, and what builds them',
  'main/core/downloads.ts': 'what builds the sources of models',
  'main/setup/': 'set-up installs programs, and these are their names',
  'main/model-manager/': 'who put a model on this disk',
  'main/models/catalogue-table.ts': 'names of repositories',
  'main/models/mlx-scanner.ts': 'formats of models on disk',
  'main/models/scan-places.ts': 'formats of models on disk',
  'main/gateway/dialects/': "Ollama's dialect, whichever backend answers",
  'shared/completion.ts': 'names of dialects',
  'shared/errors.ts': 'codes on the wire',
  'shared/chat.ts': 'the notice `ollama_down` of stored answers',
  'main/chat/running-answers.ts': 'the notice `ollama_down` of stored answers',
  'renderer/features/chat/answer-notice.tsx': 'the notice `ollama_down` of stored answers',
  'shared/settings.ts': 'names of settings and their values',
  'shared/model-choices.ts': 'names of settings',
  'shared/models.ts': 'owners of files, and places where models are found',
  'shared/use-backends.ts': 'values of a setting',
  'shared/status.ts': 'parts of the set-up',
  'renderer/i18n/': 'words',
};
/** Names that contain one and are about something else: settings, the MLX API, models on disk, a dialect, test hooks. */
const OTHER_NAMES = new Set<string>([
  ...SETTING_KEYS,
  ...['mlxApi', 'mlxApiUrl', "'mlx-api'", "'mlx-first'", "'mlx-restart'", 'mlxModels'],
  ...["'restart-mlx'", '"mlx-only-light"'],
  ...['ollamaEncoder', 'ollamaError', 'ollamaRoutes'],
]);

const NAME = '(?:mlx|ollama|openai)';
const NAME_FORMS = [
  // 'mlx', `mlx/…`, "openai-…"
  new RegExp(`(['"\`])${NAME}(?:\\1|[-/:](?:[\\w-]*\\1)?)`, 'g'),
  // 'status-mlx'
  new RegExp(`['"\`][\\w-]*[-:/]${NAME}['"\`]`, 'g'),
  // mlx: …, a.mlx, mlxBytes, mlx_bytes
  new RegExp(`(?<![\\w'"\`/.-])${NAME}\\??:(?!/)`, 'g'),
  new RegExp(`(?<=[\\w\\])?])\\.${NAME}\\b(?!['"\`.])`, 'g'),
  new RegExp(`(?<![\\w'"\`])${NAME}(?:[A-Z]|_[a-z])\\w*`, 'g'),
];

/** The names of backends and kinds in code, without comments, imports and translation keys. */
function namesOf(code: string): string[] {
  const bare = code
    .replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '')
    .replace(/^(?:import|export) [^;]*?from '[^']*';$/gm, '')
    .replace(/\bt\('[\w.]+'/g, '');
  const found = NAME_FORMS.flatMap((form) => [...bare.matchAll(form)].map(([name]) => name));
  return found.filter((name) => !OTHER_NAMES.has(name));
}

const namesIn = (file: string) => namesOf(readFileSync(join(SRC, file), 'utf8'));

function isOwn(target: string): boolean {
  return /^(main|renderer|shared|preload|tools)\//.test(target);
}

const shown = ({ file, target }: Import) => `${file} imports ${target}`;

describe('layers', () => {
  it('parses the imports that it checks', () => {
    expect(imports.some(({ file, target }) => file === 'main/index.ts' && target === 'electron')).toBe(true);
    expect(
      imports.some(({ file, target }) => file.startsWith('renderer/') && target.startsWith('shared/')),
    ).toBe(true);
  });

  it.each(Object.entries(MAIN_ROOMS))('%s imports only what it may', (room, { values, types }) => {
    const wrong = imports
      .filter(({ file, target }) => roomOf(file) === room && isOwn(target) && roomOf(target) !== room)
      .filter(({ target, typeOnly }) => {
        const allowed = typeOnly ? [...values, ...types] : values;
        return !allowed.includes(roomOf(target));
      });
    expect(wrong.map(shown)).toEqual([]);
  });

  it('lists every room of main, and no file is outside a room', () => {
    const rooms = new Set(files.filter((file) => !ENTRIES.has(file)).map(roomOf));
    const known = new Set([...Object.keys(MAIN_ROOMS), WIRING]);
    expect([...rooms].filter((room) => room.startsWith('main/') && !known.has(room))).toEqual([]);
  });

  it('has no circle of rooms, and few arrows between them', () => {
    const arrows = arrowsBetween(imports);
    const rooms = new Set(files.filter((file) => !ENTRIES.has(file)).map(roomOf));
    const count = [...arrows.values()].reduce((sum, { size }) => sum + size, 0);
    const circles = circlesOf(arrows);
    console.info(`${rooms.size} rooms, ${count} arrows, ${circles.length} circles`);
    expect(circles).toEqual([]);
    // A view is a room of the page; all else shares 26.
    const views = [...rooms].filter((room) => room.startsWith('renderer/features/')).length;
    expect(rooms.size - views).toBeLessThanOrEqual(26);
    expect(count).toBeLessThanOrEqual(115);
  });

  it('loads electron only in the entry and the preload', () => {
    const wrong = imports.filter(
      ({ file, target, typeOnly }) =>
        (target === 'electron' || target.startsWith('electron/')) &&
        !typeOnly &&
        file !== 'main/index.ts' &&
        !file.startsWith('preload/'),
    );
    expect(wrong.map(shown)).toEqual([]);
  });

  it('keeps even the types of electron out of the core', () => {
    const wrong = imports.filter(
      ({ file, target }) =>
        target === 'electron' && file !== 'main/index.ts' && !/^(main\/electron|preload)\//.test(file),
    );
    expect(wrong.map(shown)).toEqual([]);
  });

  it('lets a kind of server import only what all kinds share', () => {
    const kindOf = (path: string) => /^main\/backends\/(mlx|ollama|openai)\//.exec(path)?.[1] ?? null;
    const wrong = imports.filter(({ file, target }) => {
      const kind = kindOf(target);
      return kind !== null && roomOf(file) === 'main/backends' && kindOf(file) !== kind;
    });
    expect(wrong.map(shown)).toEqual([]);
  });

  it('lets shared import only itself and its schema library', () => {
    const wrong = imports.filter(
      ({ file, target }) => file.startsWith('shared/') && !target.startsWith('shared/') && target !== 'zod',
    );
    expect(wrong.map(shown)).toEqual([]);
  });

  it('keeps pages and main apart', () => {
    const wrong = imports.filter(
      ({ file, target }) =>
        (file.startsWith('renderer/') && (/^(main|preload)\//.test(target) || target.startsWith('node:'))) ||
        (file.startsWith('main/') && /^(renderer|preload)\//.test(target)) ||
        (file.startsWith('preload/') && /^(main|renderer)\//.test(target)),
    );
    expect(wrong.map(shown)).toEqual([]);
  });

  it('keeps features apart, and shared code independent of them', () => {
    const inner = /^renderer\/(components|stores|i18n|bridge)\//;
    const wrong = imports.filter(({ file, target }) => {
      if (!target.startsWith('renderer/features/')) return false;
      return inner.test(file) || (file.startsWith('renderer/features/') && roomOf(file) !== roomOf(target));
    });
    expect(wrong.map(shown)).toEqual([]);
  });

  it('gives each exported name one meaning', () => {
    const EXPORTED = /^export (?:async )?(?:abstract )?(?:function|class|interface|type|const)\*? (\w+)/gm;
    const found = new Map<string, Set<string>>();
    for (const file of files)
      for (const [, name = ''] of readFileSync(join(SRC, file), 'utf8').matchAll(EXPORTED))
        found.set(name, (found.get(name) ?? new Set()).add(file));
    const twice = [...found].filter(([, where]) => where.size > 1);
    expect(twice.map(([name, where]) => `${name}: ${[...where].join(', ')}`)).toEqual([]);
  });

  it('names a backend or its kind only where that is the subject', () => {
    const wrong = files.filter((file) => !Object.keys(MAY_NAME).some((path) => file.startsWith(path)));
    expect(wrong.flatMap((file) => namesIn(file).map((name) => `${file}: ${name}`))).toEqual([]);
  });

  it('finds the name of a backend in every form', () => {
    const forms = [
      ["if (id === 'mlx')", "'mlx'"],
      ['const slots = { ollama: 1 }', 'ollama:'],
      ['status.backends.mlx', '.mlx'],
      ['memory?.mlxBytes', 'mlxBytes'],
      ['`mlx/phi`', '`mlx/phi`'],
      ["testId('status-mlx')", "'status-mlx'"],
      ['body.ollama_bytes', 'ollama_bytes'],
      ['"openai-compatible"', '"openai-compatible"'],
    ] as const;
    for (const [code, found] of forms) expect(namesOf(code)).toEqual([found]);
    expect(namesOf("// 'mlx'\nimport { a } from './mlx/b';\nfetch('http://ollama.com')")).toEqual([]);
    expect(namesOf('settings.mlxOnlyLight')).toEqual([]);
  });
});
