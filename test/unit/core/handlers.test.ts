import { describe, expect, it } from 'vitest';
import { callHandler } from '../../../src/main/contract/binder';
import { silentLogger } from '../../../src/main/ports/logger';
import { coreFixture, UI } from '../../support/core-fixture';

async function handlersOf() {
  const fixture = await coreFixture();
  const call = (name: string, input: unknown) =>
    callHandler(fixture.core.handlers, name, input, UI, { logger: silentLogger, checkOutput: true });
  return { ...fixture, call };
}

describe('the handlers', () => {
  it.each<[string, object, string]>([
    ['settingsSet', { key: 'memoryWarningPercent', value: 300 }, 'setting_invalid'],
    ['settingsSet', { key: 'modelFolders', value: ['relative'] }, 'setting_invalid'],
    ['settingsSet', { key: 'nothing', value: 1 }, 'bad_request'],
    ['chatSend', { chatId: null, text: '', target: { kind: 'auto' } }, 'bad_request'],
    ['chatSend', { chatId: 'gone', text: 'hello', target: { kind: 'auto' } }, 'not_found'],
    ['chatRetry', { answerId: 'gone', target: { kind: 'auto' } }, 'not_found'],
    ['chatEdit', { messageId: 'gone', text: 'hello', target: { kind: 'auto' } }, 'not_found'],
    ['queueCancel', { id: 'gone' }, 'not_found'],
    ['incidentReport', { id: 'gone' }, 'not_found'],
    ['backendRestart', { backend: 'nobody' }, 'not_found'],
    ['downloadStart', { backend: 'ollama', name: '' }, 'bad_request'],
    ['runtimesRemove', { name: '../..', version: 'etc' }, 'not_found'],
    ['setupCancel', { part: 'mlx' }, 'bad_request'],
    ['openExternal', { url: 'http://example.org' }, 'unsupported'],
    ['openExternal', { url: 'file:///etc/passwd' }, 'unsupported'],
    ['toString', {}, 'not_found'],
  ])('%s rejects %j with %s', async (name, input, code) => {
    const { call, done } = await handlersOf();
    expect(await call(name, input)).toMatchObject({ ok: false, error: { code } });
    expect(done).toEqual([]);
  });

  it('return what the contract says, and do what only the host can', async () => {
    const { call, done } = await handlersOf();
    for (const [name, input] of [
      ['snapshot', {}],
      ['runtimesList', {}],
      ['chatSearch', { query: 'x' }],
      ['openExternal', { url: 'https://example.org/' }],
      ['hideWindow', {}],
      ['quit', {}],
    ] as const)
      expect(await call(name, input)).toMatchObject({ ok: true });
    expect(done).toEqual(['https://example.org/', 'hide', 'quit']);
  });

  it('restart a backend that is absent by setting it up again', async () => {
    const { core, call, spawner, until, withModels } = await handlersOf();
    await withModels('phi3.5:3.8b');
    const absent = { part: 'mlx', stage: 'absent', detail: 'no Python', percent: null, elapsedMs: 1 };
    spawner.setup('mlx').stdout.end(`${JSON.stringify(absent)}\n`);
    spawner.setup('mlx').exit(0);
    await until(({ backends }) => backends[0]?.stage === 'idle');
    const before = spawner.specs.filter(({ args }) => args.includes('mlx')).length;
    expect(await call('backendRestart', { backend: 'mlx' })).toMatchObject({ ok: true });
    await until(() => spawner.specs.filter(({ args }) => args.includes('mlx')).length > before);
    await core.stop();
  });
});
