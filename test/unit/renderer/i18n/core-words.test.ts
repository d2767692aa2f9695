import i18next, { type TFunction } from 'i18next';
import { beforeAll, describe, expect, it } from 'vitest';
import manifest from '../../../../resources/runtimes.json';
import { noPython } from '../../../../resources/setup/lib/mlx.js';
import {
  installOllamaCommand,
  installOllamaCure,
  missingPackagesCommand,
  missingPackagesCure,
} from '../../../../resources/setup/lib/ollama-tools.js';
import { readListenSettings } from '../../../../src/main/core/listen-settings';
import { parseEnvironment } from '../../../../src/main/store/environment';
import { cureWords, errorWords, setupDetail } from '../../../../src/renderer/i18n/core-words';
import { en } from '../../../../src/renderer/i18n/en';
import { startI18n } from '../../../../src/renderer/i18n/i18n';
import { troubleRu } from '../../../../src/renderer/i18n/ru-trouble';
import { SETTINGS } from '../../../../src/shared/settings';

const goMinimum = manifest.ollama.goMinimum.replace(/\.0$/, '');
let ru: TFunction;
beforeAll(() => {
  Object.assign(globalThis, { document: { documentElement: { lang: '' } } });
  startI18n('ru');
  ru = i18next.getFixedT('ru');
});

/** English words in a Russian sentence; names, paths, addresses and commands do not count. */
function english(sentence: string): string[] {
  const plain = sentence
    .replace(/`[^`]*`/g, '')
    .replace(/\b(true, false, 1, 0, yes, no, on, off|JSON|http|https|strategy|studio)\b/g, '')
    .replace(/\b(Tandem|Ollama|MLX|API|Python|pip|Go|venv|mlx-lm|Linux|macOS)\b/g, '')
    .replace(/\S*[/\\._:{}[\]]\S*/g, '');
  return plain.match(/\b[a-z]{2,}\b/g) ?? [];
}

describe('warnings in Russian', () => {
  it('name each variable that is invalid, and what it accepts', () => {
    const names = Object.values(SETTINGS).flatMap(({ env }) => (env === null ? [] : [env]));
    const listeners = ['TANDEM_WEB', 'TANDEM_GATEWAY'].flatMap((name) => [`${name}_HOST`, `${name}_PORT`]);
    const all = [...names, ...listeners, 'TANDEM_ALLOWED_HOSTS', 'TANDEM_ALLOWED_ORIGINS'];
    const env = Object.fromEntries(all.map((name) => [name, `,/${'x'.repeat(400)}`]));
    const warnings = [...parseEnvironment(env).warnings, ...readListenSettings(env).warnings];
    expect(warnings.length).toBe(all.length);
    for (const warning of warnings) {
      const name = warning.message.split(' ')[0] ?? '';
      const words = errorWords(warning, ru);
      expect(words).toContain(`переменной ${name} `);
      expect(english(words.replace(name, ''))).toEqual([]);
    }
  });

  it.each([
    [
      'settings_corrupt',
      { problem: 'kept', path: '/d/s.corrupt.json', used: 'lastGood' },
      ['/d/s.corrupt.json', 'последняя исправная копия'],
    ],
    ['settings_corrupt', { problem: 'left', path: '/d/s.json', used: 'defaults' }, ['/d/s.json', 'исходные']],
    [
      'settings_corrupt',
      { problem: 'unreadable', path: '/d/s.json', used: 'defaults' },
      ['/d/s.json', 'исходные', 'права'],
    ],
    ['setting_invalid', { key: 'x', problem: 'above', limit: 95 }, ['выше', '95']],
    ['setting_invalid', { key: 'x', problem: 'below', limit: 85 }, ['ниже', '85']],
    ['setting_invalid', { key: 'x', problem: 'excludes', other: 'y', limit: 4 }, ['4']],
    ['setting_invalid', { name: 'a_b', problem: 'both_raised', other: 'c_d' }, ['a_b', 'c_d']],
    ['environment_invalid', { name: 'A_B', problem: 'both_raised', other: 'C_D' }, ['A_B', 'C_D']],
    ['kernel_panic', { panic: 'p()', program: 'python3', changed: 'A, B' }, ['p()', 'python3', 'A, B']],
    ['kernel_panic', { panic: 'p()', program: 'python3', changed: 'A', held: 'B_C' }, ['значения: A', 'B_C']],
    ['kernel_panic', { panic: 'p()', program: 'python3', held: 'B_C' }, ['B_C']],
    ['kernel_panic', { panic: 'p()', program: 'python3' }, ['p()', 'Ollama']],
    ['setting_invalid', { key: 'x', problem: 'folder', path: '/no/such' }, ['/no/such']],
    ['setting_invalid', { key: 'x', problem: 'value', accepted: 'whole', low: 1, high: 16 }, ['от 1 до 16']],
    ['setting_invalid', { name: 'a_b', entry: '/e', accepted: 'url' }, ['a_b', '/e', 'https']],
    ['environment_invalid', { name: 'A_B', entry: '/e', accepted: 'url' }, ['A_B', '/e', 'https']],
    [
      'environment_invalid',
      { name: 'A_B', problem: 'contradicts', first: 'A_B', last: 'C_D' },
      ['A_B', 'C_D'],
    ],
    ['settings_corrupt', { problem: 'constructor', path: '/d/s.json', used: 'defaults' }, ['/d/s.json']],
    ['read_only', { path: '/d/s.json', version: 9 }, ['/d/s.json', '9']],
    [
      'database_unreadable',
      { path: '/a b/chats.unreadable.db' },
      ['`sqlite3 "/a b/chats.unreadable.db" .recover`'],
    ],
    ['database_newer', { path: '/d/chats.db', version: 9 }, ['/d/chats.db', '9']],
    [
      'model_incomplete',
      { name: 'org/name', reason: 'download_unfinished', file: 'a.safetensors' },
      ['org/name', 'загрузка'],
    ],
    ['model_incomplete', { name: 'org/name', reason: 'config_unreadable', file: 'c' }, ['config.json']],
    [
      'port_taken',
      { port: 11437, holder: 'node', pid: 812, url: 'http://127.0.0.1:11438' },
      ['11437', 'node (812)', 'http://127.0.0.1:11438'],
    ],
    [
      'port_taken',
      { port: 11437, holder: null, pid: null, url: 'http://127.0.0.1:11438' },
      ['11437', 'http://127.0.0.1:11438'],
    ],
    ['model_folder_hung', { path: '/v/models' }, ['/v/models', 'каждые пять минут']],
    ['model_gated', { model: 'hf.co/a/b', access: 'own-key' }, ['hf.co/a/b', 'id_ed25519.pub']],
    ['pull_failed', { model: 'x', problem: 'network' }, ['сеть']],
    ['pull_failed', { problem: 'certificate_file', path: '/no/ca' }, ['/no/ca', 'SSL_CERT_FILE']],
    ['pull_failed', { model: 'x', problem: null }, [troubleRu.errors.pull_failed]],
  ])('carry the facts of %s', (code, details, facts) => {
    const words = errorWords({ code, message: 'English words', details }, ru);
    for (const fact of facts) expect(words).toContain(fact);
    expect(english(words.replace('node (812)', ''))).toEqual([]);
  });

  it('use the sentence of the code when there are no facts', () => {
    for (const code of ['settings_corrupt', 'database_newer', 'model_incomplete', 'port_taken'] as const)
      expect(errorWords({ code, message: 'English words' }, ru)).toBe(troubleRu.errors[code]);
  });
});

describe('errors', () => {
  it('name the facts from the details, and work without them', () => {
    const details = { backend: 'mlx', model: 'phi', seconds: 300 };
    expect(errorWords({ code: 'timeout', message: '', details }, ru)).toMatch(/^MLX с моделью phi .* 300 с/);
    expect(errorWords({ code: 'timeout', message: '' }, ru)).toBe(ru('errors.timeout'));
  });

  it('are shown unchanged when their code is unknown', () => {
    for (const code of ['new_code', 'constructor', '__proto__', 'toString'])
      expect(errorWords({ code, message: 'Something new.' }, ru)).toBe('Something new.');
    expect(cureWords({ code: 'new_code', cure: 'Do this.' }, ru)).toBe('Do this.');
  });
});

describe('the cure for an absent server', () => {
  const place = { platform: 'linux' } as never;
  it.each([
    ['no_go', { command: installOllamaCommand('darwin') }, '`brew install ollama`'],
    ['no_go', { command: installOllamaCommand('linux') }, `Go ${goMinimum}`],
    ['no_build_tools', { command: missingPackagesCommand(place, ['ninja-build']) }, 'ninja-build`'],
    ['no_build_tools', { command: installOllamaCommand('linux') }, `CMake ${manifest.ollama.cmakeMinimum}`],
    [
      'no_python',
      { command: noPython(manifest.mlx.python, [], 'darwin').command },
      '`brew install python@3.13`',
    ],
    [
      'no_python',
      { command: noPython(manifest.mlx.python, [], 'linux').command },
      `Python ${manifest.mlx.python.minimum}`,
    ],
    ['mlx_python_broken', { command: '/opt/py -m pip install mlx-lm' }, '`/opt/py -m pip install mlx-lm`'],
    ['ollama_down', { address: 'studio.local:11434' }, 'studio.local:11434'],
    ['mlx_down', { address: '10.0.0.2:8080' }, '10.0.0.2:8080'],
  ])('is in Russian with its command or address: %s', (code, details, part) => {
    const words = cureWords({ code, cure: 'English words', details }, ru);
    expect(words).toContain(part);
    expect(english(words)).toEqual([]);
  });

  it('has its own text for every code without a command', () => {
    for (const code of Object.keys(en.cures).filter((key) => !key.endsWith('_run'))) {
      const words = cureWords(
        { code, cure: 'English words', details: { address: '127.0.0.1:1', name: 'A_B' } },
        ru,
      );
      expect(words).not.toContain('English');
      expect(english(words)).toEqual([]);
    }
  });

  it('names the same command in its English sentence', () => {
    for (const platform of ['darwin', 'linux']) {
      const { cure, command } = noPython(manifest.mlx.python, [], platform);
      if (command !== undefined) expect(cure).toContain(command);
    }
    expect(missingPackagesCure(place, ['ninja-build'])).toContain(
      missingPackagesCommand(place, ['ninja-build']),
    );
    expect(installOllamaCure('darwin')).toContain(installOllamaCommand('darwin'));
  });
});

describe('the technical line of the set-up', () => {
  it('keeps the names and drops the English around them', () => {
    expect(setupDetail('Fetching numpy-2.3.1', 'ru', ru)).toBe('numpy-2.3.1');
    expect(setupDetail('Fetching 31 packages', 'ru', ru)).toBe('31 пакет');
    expect(setupDetail('Looking for Ollama', 'ru', ru)).toBe('');
    expect(setupDetail('Looking for Ollama', 'en', ru)).toBe('Looking for Ollama');
    expect(setupDetail('Waiting: another Tandem (process 7) builds Ollama', 'ru', ru)).toContain('7');
  });
});
