import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { initialStatus } from '../../../src/main/backends/status-board';
import type { DatedChange } from '../../../src/main/incidents/incident-report';
import { IncidentStore } from '../../../src/main/incidents/incident-store';
import { Incidents, type IncidentsOptions } from '../../../src/main/incidents/incidents';
import { Emitter } from '../../../src/main/ports/emitter';
import { nodeFileStore } from '../../../src/main/ports/file-store';
import { type Logger, silentLogger } from '../../../src/main/ports/logger';
import type { Death } from '../../../src/main/supervisor/life';
import type { BackendStatus } from '../../../src/shared/status';
import { FakeClock, settle } from '../../support/fake-clock';
import { tempDir } from '../../support/temp-dir';

const MLX: BackendStatus = {
  ...initialStatus('mlx', 10),
  model: 'phi3.5-mini-4k',
  version: '0.32.2',
  memoryBytes: 2_500_000_000,
};
const DEATH: Death = {
  cause: 'out_of_memory',
  pid: 812,
  exit: { code: null, signal: 'SIGABRT' },
  evidence: ['metal_out_of_memory', 'metal_out_of_memory', 'gpu_ignored'],
  uptimeMs: 61_240,
  restarts: 3,
  circumstances: { pressure: 'critical', killerInFlight: false },
};
const DIED = { type: 'died', cause: 'out_of_memory', facts: { restarts: 3, seconds: 61.2 } } as const;

let clock: FakeClock;
let path: string;
let changes: DatedChange[];

beforeEach(() => {
  clock = new FakeClock(new Date('2026-11-20T10:00:00Z'));
  path = join(tempDir(), 'incidents.jsonl');
  changes = [];
});

function create(options: Partial<IncidentsOptions> = {}, files = nodeFileStore): Incidents {
  return new Incidents({
    store: new IncidentStore({ files, path, logger: options.logger ?? silentLogger }),
    clock,
    logger: silentLogger,
    status: () => MLX,
    memory: () => ({
      totalBytes: 32_000_000_000,
      usedBytes: 31_000_000_000,
      usedPercent: 97,
      pressure: 'critical',
      warningPercent: 85,
      criticalPercent: 95,
      backendBytes: { mlx: null, ollama: null },
      source: 'vm_stat',
      at: 0,
    }),
    inFlight: () => 2,
    killerInFlight: () => false,
    words: (backend, cause) => `${backend} says ${cause}.`,
    settingChanges: async (since) => changes.filter(({ at }) => Date.parse(at) >= since),
    versions: { tandem: '1.2.3', system: 'darwin 25.5.0' },
    ...options,
  });
}

const reportIn = (incidents: Incidents) => incidents.report(incidents.life().at(-1)?.incident ?? '');

describe('the timeline', () => {
  it('holds the last hundred moments, oldest first, and reports each', () => {
    const incidents = create();
    let told = 0;
    incidents.onChange(() => {
      told += 1;
    });
    for (let turn = 0; turn < 130; turn += 1) {
      incidents.onMoment('mlx', { type: 'ready', cause: null, facts: { turn } });
    }
    const life = incidents.life();
    expect([life.length, life[0]?.facts, life.at(-1)?.facts]).toEqual([100, { turn: 30 }, { turn: 129 }]);
    expect(life.at(-1)).toMatchObject({ backend: 'mlx', at: clock.wall().getTime(), incident: null });
    expect(told).toBe(130);
  });

  it('logs each moment', () => {
    const lines: unknown[] = [];
    const logger: Logger = { ...silentLogger, info: (event, fields) => void lines.push([event, fields]) };
    create({ logger }).onMoment('ollama', {
      type: 'restart_planned',
      cause: 'killed',
      facts: { seconds: 5 },
    });
    expect(lines).toEqual([
      ['life', { backend: 'ollama', moment: 'restart_planned', cause: 'killed', seconds: 5 }],
    ]);
  });

  it('derives from a status when a foreign server appears and disappears', () => {
    const incidents = create();
    const changed = new Emitter<BackendStatus>();
    let status: BackendStatus = initialStatus('ollama', 10);
    incidents.watch({ status: () => status, onStatus: changed.subscribe });
    const set = (patch: Partial<BackendStatus>) => {
      status = { ...status, ...patch };
      changed.emit(status);
    };
    set({ state: 'adopted', url: 'http://127.0.0.1:11434', version: '0.30.1' });
    set({ activeRequests: 1 });
    set({ state: 'absent', url: null, lastError: { code: 'vanished', message: 'gone', at: 1 } });
    set({ state: 'starting' });
    expect(incidents.life()).toMatchObject([
      { type: 'adopted', facts: { address: '127.0.0.1:11434', version: '0.30.1' } },
      { type: 'lost', facts: { code: 'vanished' } },
    ]);
  });
});

describe('a death without evidence', () => {
  const UNEXPLAINED: Death = { ...DEATH, cause: 'unknown', evidence: [] };
  const MOMENT = { ...DIED, cause: 'unknown' } as const;

  it('is explained later: in the timeline, in the report, and to the server', async () => {
    const told: unknown[] = [];
    const incidents = create({
      explain: async ({ pid }) => (pid === 812 ? { cause: 'gpu_hang', evidence: ['gpu_preempted'] } : null),
      onExplained: (...facts) => told.push(facts),
    });
    incidents.onDeath('mlx', MOMENT, UNEXPLAINED);
    // It does not wait for the answer.
    expect(incidents.life().map(({ type, cause }) => [type, cause])).toEqual([['died', 'unknown']]);
    await settle();
    const [died, explained] = incidents.life();
    expect(explained).toMatchObject({ type: 'explained', cause: 'gpu_hang', incident: died?.incident });
    expect(told).toEqual([['mlx', 'gpu_hang']]);
    expect(await reportIn(incidents)).toMatch(/Cause {6}gpu_hang[\s\S]*Evidence {3}gpu_preempted/);

    await incidents.settled();
    const next = create();
    await next.load();
    expect(next.life().map(({ cause }) => cause)).toEqual(['gpu_hang']);
  });

  it('stays unknown, with the evidence, if that proves no cause', async () => {
    const incidents = create({ explain: async () => ({ cause: 'unknown', evidence: ['gpu_fault'] }) });
    incidents.onDeath('mlx', MOMENT, UNEXPLAINED);
    await settle();
    expect(incidents.life()).toHaveLength(1);
    expect(await reportIn(incidents)).toContain('gpu_fault');
  });

  it('is not asked about when it was explained, or nothing was started', async () => {
    const incidents = create({ explain: () => expect.unreachable() });
    incidents.onDeath('mlx', DIED, DEATH);
    incidents.onDeath('mlx', MOMENT, { ...UNEXPLAINED, pid: null });
    await settle();
    const failing = create({ explain: () => Promise.reject(new Error('no log')) });
    failing.onDeath('mlx', MOMENT, UNEXPLAINED);
    await settle();
    expect(failing.life()).toHaveLength(1);
  });
});

describe('the report of a death', () => {
  it('contains what is known, and nothing else', async () => {
    changes = [
      { at: '2026-11-18T10:00:00.000Z', key: 'theme', old: 'system', new: 'dark' },
      { at: '2026-11-20T08:00:00.000Z', key: 'mlxMaxConcurrent', old: 1, new: 4 },
      { at: '2026-11-20T12:00:00.000Z', key: 'language', old: 'en', new: 'ru' },
    ];
    const incidents = create();
    incidents.onDeath('mlx', DIED, DEATH);
    clock.jump(3 * 3_600_000);
    const text = await reportIn(incidents);
    expect(text.split('\n').slice(1)).toEqual([
      'When       2026-11-20T10:00:00.000Z',
      'Server     mlx 0.32.2',
      'Cause      out_of_memory: mlx says out_of_memory.',
      'Exit       signal SIGABRT',
      'Evidence   metal_out_of_memory, gpu_ignored',
      'Ran for    61.2 s',
      'In flight  2 request(s), model phi3.5-mini-4k',
      'Restarts   3 before it',
      'Memory     31.0 GB of 32.0 GB used, pressure critical, server 2.5 GB',
      'Tandem     1.2.3',
      'System     darwin 25.5.0',
      'Settings   changed in the 24 h before:',
      '  2026-11-20T08:00:00.000Z  mlxMaxConcurrent: 1 -> 4',
      '',
    ]);
  });

  it('states what is unknown', async () => {
    const incidents = create({ memory: () => null, status: () => initialStatus('mlx', 10) });
    incidents.onDeath('mlx', DIED, {
      ...DEATH,
      cause: 'unknown',
      exit: null,
      evidence: [],
      uptimeMs: null,
      circumstances: { pressure: 'unknown', killerInFlight: false },
    });
    const text = await reportIn(incidents);
    expect(text).toContain('Server     mlx (version unknown)');
    expect(text).toContain('Cause      unknown');
    expect(text).toContain('Exit       not seen');
    expect(text).toContain('Evidence   none');
    expect(text).toContain('Ran for    no process was started');
    expect(text).toContain('Memory     unknown of unknown used, pressure unknown, server unknown');
    expect(text).toContain('Settings   none changed in the 24 h before');
  });

  it('is there after a restart of the app, in a private file, whatever else the file contains', async () => {
    const first = create();
    first.onDeath('mlx', DIED, DEATH);
    await first.settled();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await appendFile(path, '{"id":"cut off by a po\n{"id":"x","backend":"other"}\n');
    const again = create();
    await again.load();
    expect(again.life()).toMatchObject([
      { type: 'died', cause: 'out_of_memory', facts: { signal: 'SIGABRT' }, at: clock.wall().getTime() },
    ]);
    expect(await reportIn(again)).toBe(await reportIn(first));
    again.onMoment('mlx', { type: 'started', cause: null, facts: {} });
    expect(again.life().map(({ type }) => type)).toEqual(['died', 'started']);
  });

  it('is not lost behind a truncated line', async () => {
    await writeFile(path, '{"id":"cut off by a power fail');
    const first = create();
    await first.load();
    first.onDeath('mlx', DIED, DEATH);
    await first.settled();
    const again = create();
    await again.load();
    expect(again.life()).toHaveLength(1);
  });

  it('is kept for the last fifty deaths, and the file does not grow without limit', async () => {
    const incidents = create();
    for (let turn = 0; turn < 230; turn += 1) incidents.onDeath('mlx', DIED, { ...DEATH, restarts: turn });
    await incidents.settled();
    const [oldest] = incidents.life();
    await expect(incidents.report(oldest?.incident ?? '')).rejects.toMatchObject({ code: 'not_found' });
    expect(await reportIn(incidents)).toContain('Restarts   229');
    expect((await readFile(path, 'utf8')).split('\n').length).toBeLessThanOrEqual(101);
    const again = create();
    await again.load();
    expect(again.life()).toHaveLength(50);
    expect(await reportIn(again)).toContain('Restarts   229');
  });

  it('works without its file where it cannot be written or read', async () => {
    const warned: string[] = [];
    const logger: Logger = { ...silentLogger, warn: (event) => void warned.push(event) };
    const full = {
      ...nodeFileStore,
      append: () => Promise.reject(new Error('disk full')),
      readText: () => Promise.reject(new Error('no rights')),
    };
    const incidents = create({ logger }, full);
    await incidents.load();
    incidents.onDeath('mlx', DIED, DEATH);
    await incidents.settled();
    expect(await reportIn(incidents)).toContain('out_of_memory');
    expect(warned).toEqual(['incidents.not-read', 'incidents.not-written']);
  });

  it('is not read from a corrupt file', async () => {
    await writeFile(path, 'rubbish\n\u0000\n[]\n');
    const incidents = create();
    await incidents.load();
    expect(incidents.life()).toEqual([]);
    await expect(incidents.report('x')).rejects.toMatchObject({ code: 'not_found' });
  });
});
