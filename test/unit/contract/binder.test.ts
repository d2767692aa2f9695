import { describe, expect, it } from 'vitest';
import { callHandler } from '../../../src/main/contract/binder';
import { type Logger, silentLogger } from '../../../src/main/ports/logger';
import { TandemError } from '../../../src/shared/errors';
import { handlersWith } from '../../support/web-host-fixture';

const caller = { host: 'web' } as const;

describe('the binder', () => {
  it('passes a handler the parsed input', async () => {
    let seen: unknown;
    const handlers = handlersWith({
      chatRename: async (input) => {
        seen = input;
        return {};
      },
    });
    const input = { chatId: 'c', title: 'T', more: 'dropped' };
    expect(await callHandler(handlers, 'chatRename', input, caller, { logger: silentLogger })).toEqual({
      ok: true,
      value: {},
    });
    expect(seen).toEqual({ chatId: 'c', title: 'T' });
  });

  it.each(['nothing', 'hasOwnProperty', '__proto__', ''])('knows no call %s', async (name) => {
    const outcome = await callHandler(handlersWith({}), name, {}, caller, { logger: silentLogger });
    expect(outcome).toMatchObject({ ok: false, error: { code: 'not_found' } });
  });

  it('names the invalid part of the input', async () => {
    const input = { chatId: null, text: '', target: { kind: 'auto' } };
    const outcome = await callHandler(handlersWith({}), 'chatSend', input, caller, { logger: silentLogger });
    expect(outcome).toMatchObject({ ok: false, error: { code: 'bad_request' } });
    expect(outcome.ok === false && outcome.error.message).toMatch(/^chatSend: text: /);
  });

  it.each(['hf_inner space', 'hf_line\nend', 'hf_zero\0byte', 'hf_ключ-доступа'])(
    'refuses %j as a token without repeating it',
    async (token) => {
      const outcome = await callHandler(handlersWith({}), 'hubTokenSet', { token }, caller, {
        logger: silentLogger,
      });
      expect(outcome).toMatchObject({ ok: false, error: { code: 'bad_request' } });
      expect(JSON.stringify(outcome)).not.toContain(token.slice(4));
    },
  );

  it('cancels a queued request with the longest allowed client id', async () => {
    let cancelled = '';
    const handlers = handlersWith({
      queueCancel: async ({ id }) => {
        cancelled = id;
        return {};
      },
    });
    const id = `${'x'.repeat(128)}~12`;
    await callHandler(handlers, 'queueCancel', { id }, caller, { logger: silentLogger });
    expect(cancelled).toBe(id);
  });

  it('keeps the code and the details of an expected failure', async () => {
    const handlers = handlersWith({
      chatStop: async () => {
        throw new TandemError('disk_full', 'Free some space.', { details: { path: '/data' } });
      },
    });
    expect(
      await callHandler(handlers, 'chatStop', { answerId: 'a' }, caller, { logger: silentLogger }),
    ).toEqual({
      ok: false,
      error: { code: 'disk_full', message: 'Free some space.', details: { path: '/data' } },
    });
  });

  it('logs the origin of an unexpected failure, but not its message', async () => {
    const logged: unknown[] = [];
    const logger: Logger = { ...silentLogger, error: (event, fields) => void logged.push({ event, fields }) };
    const handlers = handlersWith({
      chatStop: async () => {
        throw new RangeError('dear diary');
      },
    });
    const outcome = await callHandler(handlers, 'chatStop', { answerId: 'a' }, caller, { logger });
    expect(outcome).toMatchObject({ ok: false, error: { code: 'internal' } });
    expect(JSON.stringify(logged)).toContain('binder.test.ts');
    expect(JSON.stringify(logged)).not.toContain('dear diary');
  });

  it('detects a handler that breaks the contract, if enabled', async () => {
    const handlers = handlersWith({ chatDelete: async () => ({ undoMs: 'soon' }) as never });
    const call = (checkOutput: boolean) =>
      callHandler(handlers, 'chatDelete', { chatId: 'c' }, caller, { logger: silentLogger, checkOutput });
    expect((await call(false)).ok).toBe(true);
    expect(await call(true)).toMatchObject({ ok: false, error: { code: 'internal' } });
  });
});
