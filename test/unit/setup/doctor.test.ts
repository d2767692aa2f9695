import { describe, expect, it } from 'vitest';
import { reportText, verdict } from '../../../resources/setup/lib/doctor-verdict.js';

type Part = Parameters<typeof verdict>[0][number];

const good: Part[] = (
  [
    'node',
    'dependencies',
    'electron',
    'python',
    'mlx-lm',
    'ollama',
    'models',
    'ports',
    'disk',
    'data',
  ] as const
).map((part) => ({ part, state: 'found', detail: 'there' }));

const withChange = (...changes: Part[]) =>
  good.map((part) => changes.find((change) => change.part === part.part) ?? part);
const missing = (part: Part['part'], more: Partial<Part> = {}): Part => ({
  part,
  state: 'missing',
  detail: 'no',
  ...more,
});

describe("the doctor's verdict", () => {
  it('is good when everything is there', () => {
    expect(verdict(good)).toEqual({ ok: true, reason: 'Tandem can run.' });
  });

  it.each([
    ['Electron is missing', [missing('electron')]],
    ['no models are there', [missing('models')]],
    ['the dependencies can be installed', [missing('dependencies', { obtainable: true })]],
    ['only Ollama is there', [missing('mlx-lm')]],
    ['only MLX is there', [missing('ollama')]],
    ['MLX can be set up and Ollama cannot', [missing('mlx-lm', { obtainable: true }), missing('ollama')]],
  ])('is good when %s', (_name, changes) => {
    expect(verdict(withChange(...changes)).ok).toBe(true);
  });

  it.each([
    ['neither server can run', [missing('mlx-lm'), missing('ollama')]],
    [
      'both servers are broken',
      [missing('mlx-lm', { state: 'broken' }), missing('ollama', { state: 'broken' })],
    ],
    ['there is no Node', [missing('node')]],
    ['the gateway has no port', [missing('ports', { state: 'broken' })]],
    ['the disk is full', [missing('disk', { state: 'broken' })]],
    ['the data folder cannot be written', [missing('data', { state: 'broken' })]],
    ['a part was not looked at', []],
  ])('is bad when %s', (name, changes) => {
    const parts = name === 'a part was not looked at' ? good.slice(1) : withChange(...changes);
    expect(verdict(parts).ok).toBe(false);
  });

  it('names what cannot run, and the only remaining server', () => {
    expect(verdict(withChange(missing('disk'), missing('ports'))).reason).toBe(
      'Tandem cannot run: see Ports, Disk.',
    );
    expect(verdict(withChange(missing('mlx-lm'))).reason).toBe('Tandem can run with Ollama alone.');
  });

  it('prints each part with its state, and its cure below', () => {
    const lines = reportText(withChange(missing('ollama', { cure: 'Install it.' }))).split('\n');
    expect(lines).toContain('Node         found    there');
    expect(lines[lines.findIndex((line) => line.startsWith('Ollama')) + 1]?.trim()).toBe('Install it.');
    expect(lines.at(-1)).toBe('Tandem can run with MLX alone.');
  });
});
