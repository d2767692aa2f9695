import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, ask, until } from '../support/app';
import { type ContractClient, connect } from '../support/contract-client';
import { CODE, startCountingApp } from '../support/counting-app';
import { signalAll } from '../support/processes';
import { filesContaining } from '../support/temp-dir';

/** What the built app reports about the deaths of its real servers, and what it never reveals. */

const CANARY = 'canary-e41b9c';
const ENV = { TANDEM_RESTART_BACKOFF: '0.2', TANDEM_RESTART_STABLE: '2' };

const server = async (app: App, id: 'mlx' | 'ollama') => {
  const found = (await app.health()).backends[id];
  if (!found) throw new Error(`no ${id} in /health`);
  return found;
};

const up = (app: App, id: 'mlx' | 'ollama', pid: number | null = null) =>
  until(async () => {
    const now = await server(app, id);
    return ['ready', 'busy'].includes(now.state) && now.pid !== pid && now.pid;
  }, `${id} ready`);

/** Kills a server that runs marked requests; resolves when it is ready again and they are answered. */
async function killAtWork(app: App, id: 'mlx' | 'ollama', signal: NodeJS.Signals, text: string) {
  const pid = await up(app, id);
  const base = { mlx: app.ready.mlxApi, ollama: app.ready.gateway }[id];
  // Stopped, so that the requests are certainly running when it dies.
  process.kill(pid, 'SIGSTOP');
  const asked = Array.from({ length: 6 }, () => ask(base, `${text} ${CANARY}`));
  await until(async () => (await server(app, id)).state === 'busy', `${id} at work`);
  process.kill(pid, signal);
  // SIGKILL also ends a stopped process.
  signalAll([pid], 'SIGCONT');
  const answers = await Promise.all(asked);
  await up(app, id, pid);
  expect(answers.map(({ status, error }) => error ?? status)).toEqual(Array(6).fill(200));
}

/** Dies in its next step as from lack of GPU memory, once, with words that no report may repeat. */
const OUT_OF_MEMORY = (trigger: string) => `
import os
def install(server, launcher):
    step = server.BatchGenerator.next
    def dies(self):
        if os.path.exists(${JSON.stringify(trigger)}):
            os.remove(${JSON.stringify(trigger)})
            os.write(2, b"[METAL] Command buffer execution failed: Insufficient Memory (${CANARY})\\n")
            os.abort()
        return step(self)
    server.BatchGenerator.next = dies
`;

describe('deaths of real servers', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'tandem-incidents-'));
  const trigger = join(scratch, 'trigger');
  let app: App;
  let ui: ContractClient;

  beforeAll(async () => {
    writeFileSync(join(scratch, 'faults.py'), OUT_OF_MEMORY(trigger));
    app = await startCountingApp({ env: { ...ENV, TANDEM_MLX_FAULTS: join(scratch, 'faults.py') } });
    ui = await connect(app.ready.web);
  });
  afterAll(async () => {
    await app.stop();
    await app.remove();
    rmSync(scratch, { recursive: true, force: true });
  });

  const deaths = async () => (await ui.snapshot()).life.filter(({ type }) => type === 'died');

  it('are in the timeline with the events before and after', async () => {
    await ui.value('settingsSet', { key: 'snippetChars', value: 321 });
    await killAtWork(app, 'mlx', 'SIGKILL', 'hello');
    const life = (await ui.snapshot()).life.filter(({ backend }) => backend === 'mlx');
    expect(life.map(({ type }) => type)).toEqual([
      'started',
      'ready',
      'died',
      'restart_planned',
      'started',
      'ready',
    ]);
    expect(life[2]).toMatchObject({ cause: 'killed', facts: { signal: 'SIGKILL', restarts: 0 } });
    expect(life[3]?.facts).toEqual({ seconds: 0.2, restart: 1, of: 10 });
    expect((await ui.snapshot()).backends.map(({ breaker }) => breaker.state)).toEqual(['closed', 'closed']);
  });

  it('without evidence are reported as unknown', async () => {
    await killAtWork(app, 'mlx', 'SIGABRT', 'hi');
    const death = (await deaths()).at(-1);
    // Python writes the stacks of all its threads first, and occasionally crashes over those that compute.
    const signal = expect.stringMatching(/^SIG(ABRT|SEGV)$/);
    expect(death).toMatchObject({ backend: 'mlx', cause: 'unknown', facts: { signal } });
    expect((await server(app, 'mlx')).last_error?.code).toBe('unknown');
  });

  it('have a report each', async () => {
    await killAtWork(app, 'ollama', 'SIGKILL', CODE);
    const all = await deaths();
    expect(all.map(({ backend }) => backend)).toEqual(['mlx', 'mlx', 'ollama']);
    const reports = await Promise.all(
      all.map((each) => ui.value('incidentReport', { id: String(each.incident) })),
    );
    for (const { text } of reports) {
      expect(text).toMatch(/^Incident +[\w-]+$/m);
      expect(text).toMatch(/^Memory +\d+\.\d GB of \d+\.\d GB used/m);
      expect(text).toMatch(/snippetChars: 500 -> 321/);
    }
    expect(reports[0]?.text).toMatch(/^Server +mlx \d+\.\d+/m);
    expect(reports[2]?.text).toMatch(/^Exit +signal SIGKILL$/m);
    expect(await ui.call('incidentReport', { id: 'none' })).toMatchObject({
      ok: false,
      error: { code: 'not_found' },
    });
  });

  it('name the kind of line that proves their cause, and quote none', async () => {
    const pid = await up(app, 'mlx');
    writeFileSync(trigger, '');
    expect(await ask(app.ready.mlxApi, `hello ${CANARY}`)).toMatchObject({ status: 200 });
    await up(app, 'mlx', pid);
    const death = (await deaths()).at(-1);
    expect(death).toMatchObject({ backend: 'mlx', cause: 'out_of_memory' });
    const { text } = await ui.value('incidentReport', { id: String(death?.incident) });
    expect(text).toMatch(/^Evidence +metal_out_of_memory$/m);
    expect(text).not.toContain('Command buffer');
  });

  it('leave the running prompts in no log, no journal, no report and no push', async () => {
    expect(filesContaining(app.dataDir, CANARY)).toEqual([]);
    expect(filesContaining(app.dataDir, 'SIGKILL')).toEqual(
      expect.arrayContaining(['incidents.jsonl', join('logs', 'tandem.log')]),
    );
    expect(app.log()).not.toContain(CANARY);
    const reports = await Promise.all(
      (await deaths()).map((each) => ui.value('incidentReport', { id: String(each.incident) })),
    );
    expect(JSON.stringify([reports, await ui.snapshot(), await app.health()])).not.toContain(CANARY);
  });

  it('are still reported after the app itself was killed', async () => {
    const before = await deaths();
    expect(statSync(join(app.dataDir, 'incidents.jsonl')).mode & 0o777).toBe(0o600);
    await app.kill();
    app = await startCountingApp({ env: ENV, dataDir: app.dataDir });
    ui = await connect(app.ready.web);
    const after = await deaths();
    expect(after.slice(0, before.length).map(({ incident }) => incident)).toEqual(
      before.map(({ incident }) => incident),
    );
    const { text } = await ui.value('incidentReport', { id: String(before[0]?.incident) });
    expect(text).toMatch(/^Cause +killed: /m);
  });
});
