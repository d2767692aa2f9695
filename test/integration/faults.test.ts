import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type App, ask, until } from '../support/app';
import { type ContractClient, connect } from '../support/contract-client';
import { CODE, COUNTING, startCountingApp } from '../support/counting-app';
import { processesOf, signalAll } from '../support/processes';
import { mlxPython } from '../support/runtimes';
import { tempDir } from '../support/temp-dir';

/** MLX fails in every way that a test can cause, on the built host with both real servers. */

/** Longer than any test waits, so that only the button can end it. */
const LONG_BACKOFF = { TANDEM_RESTART_BACKOFF: '300' };

type BackendHealth = NonNullable<Awaited<ReturnType<App['health']>>['backends'][string]>;

async function backend(app: App, id: 'mlx' | 'ollama'): Promise<BackendHealth> {
  const found = (await app.health()).backends[id];
  if (!found) throw new Error(`no ${id} in /health`);
  return found;
}

const mlxIn = (app: App, states: readonly string[]) =>
  until(
    async () => {
      const now = await backend(app, 'mlx');
      return states.includes(now.state) && now;
    },
    `MLX ${states.join(' or ')}`,
  );

async function end(app: App): Promise<void> {
  await app.stop();
  await app.remove();
}

function writeProgram(path: string, script: string): void {
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

describe('a hung MLX', () => {
  let app: App;
  let hung: Promise<{ answers: Awaited<ReturnType<typeof ask>>[]; states: Set<string> }>;

  // This starts first and is checked last: telling a slow server from a dead one takes a while.
  beforeAll(async () => {
    app = await startCountingApp({ env: { TANDEM_HANG_PATIENCE: '2' } });
    hung = hang(app);
    hung.catch(() => {});
  });
  afterAll(() => end(app));

  async function hang(stopped: App) {
    const states = new Set<string>();
    signalAll([Number((await backend(stopped, 'mlx')).pid)], 'SIGSTOP');
    let waiting = true;
    const answers = Promise.all(
      ['hello', 'hi', 'hello'].map((text) => ask(stopped.ready.gateway, text)),
    ).finally(() => {
      waiting = false;
    });
    while (waiting) {
      const health = await stopped.health();
      states.add(`${health.status}:${health.backends.mlx?.state}`);
      await new Promise((settle) => setTimeout(settle, 20));
    }
    return { answers: await answers, states };
  }

  describe('while it hangs, another MLX', () => {
    let other: App;
    let ui: ContractClient;

    beforeAll(async () => {
      other = await startCountingApp({ env: LONG_BACKOFF });
      ui = await connect(other.ready.web);
    });
    afterAll(() => end(other));

    const restart = () => ui.value('backendRestart', { backend: 'mlx' });

    it('survives poisoned requests', async () => {
      const before = await backend(other, 'mlx');
      const poison: object[] = [
        { options: { stop: [5] } },
        { options: { stop: 5 } },
        { options: { stop: [''] } },
        { options: { stop: [] } },
        { options: { top_k: 1e12 } },
        { options: { top_k: 5_000_000 } },
        { options: { top_k: -3 } },
        { options: { seed: -1 } },
        { options: { seed: 2 ** 70 } },
        { options: { temperature: 'NaN' } },
        { options: { temperature: -1 } },
        { options: { temperature: 1e308 } },
        { options: { top_p: 0 } },
        { options: { min_p: 2 } },
        { options: { repeat_penalty: 0 } },
        { options: { repeat_penalty: -1e9, repeat_last_n: -5 } },
        { options: { num_predict: -7 } },
        { options: { num_predict: 0 } },
        { options: { num_predict: 1.5 } },
        { options: { num_ctx: -1 } },
        { options: 'all of them' },
        { options: null },
        { messages: [] },
        { messages: 'hello' },
        { messages: [{ role: 'user' }] },
        { messages: [{ role: 'user', content: 5 }] },
        { messages: [{ role: 'nobody', content: 'hello' }] },
        { messages: [{ role: 'user', content: '\ud800' }] },
        { messages: [{ role: 'user', content: 'x'.repeat(2_000_000) }] },
        { messages: [{ role: 'user', content: '\u0000<|im_end|><|endoftext|></s>' }] },
        { messages: [{ role: 'assistant', content: 'only me' }] },
        { format: { type: 'object' } },
        { tools: [{ type: 'function' }] },
        { think: 'very' },
        { keep_alive: 'for ever' },
      ];
      for (const part of poison) {
        const response = await fetch(`${other.ready.gateway}/api/chat`, {
          method: 'POST',
          body: JSON.stringify({
            model: `mlx/${COUNTING}`,
            stream: false,
            messages: [{ role: 'user', content: 'hello' }],
            options: { num_predict: 16 },
            ...part,
          }),
        });
        const said = `${JSON.stringify(part).slice(0, 80)} → ${response.status} ${(await response.text()).slice(0, 200)}`;
        expect(response.status === 200 || (response.status >= 400 && response.status < 500), said).toBe(true);
      }
      expect(await backend(other, 'mlx')).toMatchObject({ pid: before.pid, restarts: 0 });
      expect(await ask(other.ready.gateway, 'hello')).toMatchObject({ status: 200, backend: 'mlx' });
    });

    it('killed in the middle of a request costs no answer, and the label names the replacement', async () => {
      const { pid } = await backend(other, 'mlx');
      // Stopped, so that the request is certainly running when the process dies.
      signalAll([Number(pid)], 'SIGSTOP');
      const asked = ask(other.ready.gateway, 'hello');
      await until(async () => (await backend(other, 'mlx')).state === 'busy', 'MLX busy');
      signalAll([Number(pid)], 'SIGKILL');
      const answer = await asked;
      expect(answer).toMatchObject({ status: 200, backend: 'ollama' });
      expect(answer.text).toMatch(/\w/);
      expect(answer.reasons.join()).toMatch(/fallback:mlx-/);

      const response = await fetch(`${other.ready.gateway}/health`);
      expect(response.status).toBe(200);
      expect((await other.health()).status).toBe('degraded');
      expect(await backend(other, 'mlx')).toMatchObject({ state: 'backoff', last_error: { code: 'killed' } });
      // Still down: small talk goes to Ollama at once.
      expect(await ask(other.ready.gateway, 'hello')).toMatchObject({ status: 200, backend: 'ollama' });
    });

    it('in backoff is started at once by the button', async () => {
      await mlxIn(other, ['backoff']);
      await restart();
      await mlxIn(other, ['ready']);
      expect((await backend(other, 'mlx')).restarts).toBe(0);
      expect((await other.health()).status).not.toBe('degraded');
    });

    it('is replaced by the button when ready, while starting and while a request runs', async () => {
      const { pid } = await mlxIn(other, ['ready']);
      await restart();
      await mlxIn(other, ['stopping', 'starting']);
      await restart();
      await restart();
      const next = await mlxIn(other, ['ready']);
      expect(next.pid).not.toBe(pid);

      signalAll([Number(next.pid)], 'SIGSTOP');
      const asked = ask(other.ready.gateway, 'hello');
      await mlxIn(other, ['busy']);
      await restart();
      expect(await asked).toMatchObject({ status: 200 });
      const last = await mlxIn(other, ['ready']);
      expect(last.pid).not.toBe(next.pid);
      expect(await ask(other.ready.gateway, 'hello')).toMatchObject({ status: 200, backend: 'mlx' });
    });
  });

  describe('while it hangs, another Ollama', () => {
    let other: App;

    beforeAll(async () => {
      other = await startCountingApp();
    });
    afterAll(() => end(other));

    it('killed during code requests is restarted, and each gets its answer', async () => {
      const { pid } = await backend(other, 'ollama');
      const asked = Array.from({ length: 5 }, () => ask(other.ready.gateway, CODE));
      await Promise.race(asked);
      signalAll([Number(pid)], 'SIGKILL');
      const answers = await Promise.all(asked);
      expect(answers.map(({ status, backend: by }) => [status, by])).toEqual(Array(5).fill([200, 'ollama']));
      const after = await backend(other, 'ollama');
      expect(after.pid).not.toBe(pid);
      expect(after.restarts).toBe(1);
    });

    it('whose model runner is killed still answers', async () => {
      const { pid } = await backend(other, 'ollama');
      await ask(other.ready.gateway, CODE);
      const runners = await processesOf(Number(pid));
      expect(runners.length).toBeGreaterThan(0);
      const asked = Array.from({ length: 5 }, () => ask(other.ready.gateway, CODE));
      signalAll(runners, 'SIGKILL');
      const answers = await Promise.all(asked);
      expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(200));
      expect(await ask(other.ready.gateway, 'hello')).toMatchObject({ status: 200, backend: 'mlx' });
    });

    it('and MLX both killed at once cost no answer', async () => {
      const asked = ['hello', CODE, 'hi', CODE].map((text) => ask(other.ready.gateway, text));
      const { mlx, ollama } = (await other.health()).backends;
      signalAll([Number(mlx?.pid), Number(ollama?.pid)], 'SIGKILL');
      const answers = await Promise.all(asked);
      expect(answers.map(({ status, error }) => error ?? status)).toEqual([200, 200, 200, 200]);
      await until(async () => (await other.health()).status !== 'degraded', 'both up again');
    });
  });

  it('answers all waiting requests, reports the hang, and recovers', async () => {
    const { answers, states } = await hung;
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(answers.every(({ text }) => /\w/.test(text))).toBe(true);
    expect(answers[0]?.reasons.join()).toMatch(/fallback:mlx-/);
    expect([...states].join()).toMatch(/degraded:(hung|backoff)/);
    await mlxIn(app, ['ready']);
    expect((await backend(app, 'mlx')).last_error?.code).toBe('stalled');
    expect(await ask(app.ready.gateway, 'hello')).toMatchObject({ status: 200, backend: 'mlx' });
  });
});

describe('an MLX that cannot be started', () => {
  it('opens the breaker, leaves all requests to Ollama, and starts by the button once it is repaired', async () => {
    const python = join(tempDir(), 'python');
    // Passes the set-up's check, then exits with the launcher's code for a broken runtime.
    writeProgram(python, `[ "$1" = -c ] && exec '${mlxPython()}' "$@"\nexit 3`);
    const app = await startCountingApp({ env: { TANDEM_MLX_PYTHON: python } });
    onTestFinished(() => end(app));
    expect((await app.health()).status).toBe('degraded');
    expect(await backend(app, 'mlx')).toMatchObject({
      state: 'open',
      last_error: { code: 'runtime_broken' },
    });
    const answer = await ask(app.ready.gateway, 'hello');
    expect(answer).toMatchObject({ status: 200, backend: 'ollama' });
    expect(answer.reasons.join()).toMatch(/breaker:open|mlx-runtime-broken/);

    const ui = await connect(app.ready.web);
    await ui.value('backendRestart', { backend: 'mlx' });
    await mlxIn(app, ['open']);
    writeProgram(python, `exec '${mlxPython()}' "$@"`);
    await ui.value('backendRestart', { backend: 'mlx' });
    await mlxIn(app, ['ready']);
    expect(await ask(app.ready.gateway, 'hello')).toMatchObject({ status: 200, backend: 'mlx' });
  });

  it('is absent without a Python, and the button finds one that was installed meanwhile', async () => {
    const python = join(tempDir(), 'python');
    const app = await startCountingApp({ env: { TANDEM_MLX_PYTHON: python } });
    onTestFinished(() => end(app));
    const ui = await connect(app.ready.web);
    await ui.value('backendRestart', { backend: 'mlx' });
    // While the set-up checks again it is absent as well.
    await until(async () => {
      const { state, cure } = await backend(app, 'mlx');
      return state === 'absent' && cure?.includes('TANDEM_MLX_PYTHON');
    }, 'MLX absent with the cure');
    writeProgram(python, `exec '${mlxPython()}' "$@"`);
    await ui.value('backendRestart', { backend: 'mlx' });
    await mlxIn(app, ['ready']);
    expect(await ask(app.ready.gateway, 'hello')).toMatchObject({ status: 200, backend: 'mlx' });
  });
});

describe('an MLX API of another Tandem', () => {
  it('is used, labelled MLX, and replaced by Ollama when it is gone', async () => {
    const far = await startCountingApp({
      env: { MLX_ONLY_LIGHT: 'false', MLX_MODEL_CODING: COUNTING, MLX_MODEL_DEFAULT: COUNTING },
    });
    onTestFinished(() => end(far));
    const near = await startCountingApp({ env: { MLX_API_URL: `${far.ready.mlxApi}/` } });
    onTestFinished(() => end(near));
    expect(await backend(near, 'mlx')).toMatchObject({ state: 'adopted', pid: null, url: far.ready.mlxApi });
    expect((await near.health()).status).not.toBe('degraded');
    const hello = await ask(near.ready.gateway, 'hello');
    expect(hello).toMatchObject({ status: 200, backend: 'mlx', model: COUNTING });

    // With MLX_ONLY_LIGHT off, the remote one's own categories may name MLX models.
    for (const category of ['coding', 'default']) {
      const response = await fetch(`${far.ready.mlxApi}/api/generate`, {
        method: 'POST',
        body: JSON.stringify({ prompt: 'hello', category, stream: false }),
      });
      expect([category, response.status, response.headers.get('x-tandem-backend')]).toEqual([
        category,
        200,
        'mlx',
      ]);
    }

    const ui = await connect(far.ready.web);
    await ui.value('settingsSet', { key: 'mlxCategories', value: ['greeting', 'fast', 'coding'] });
    expect(await ask(far.ready.gateway, CODE)).toMatchObject({ status: 200, backend: 'mlx' });

    await far.kill();
    const fallen = await ask(near.ready.gateway, 'hello');
    expect(fallen).toMatchObject({ status: 200, backend: 'ollama' });
    expect(fallen.reasons.join()).toMatch(/fallback:mlx-/);
    expect((await near.health()).status).toBe('degraded');
  });
});
