import type { EventEmitter } from 'node:events';
import { beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { PUSH_CHANNEL } from '../../src/shared/channels';
import { type Bridge, type CallName, contract, type Push } from '../../src/shared/contract';

const renderer = vi.hoisted(() => ({ exposed: new Map<string, unknown>(), invoked: [] as unknown[][] }));
const ipc = vi.hoisted(() => ({ emitter: null as EventEmitter | null }));

// The preload script is the one file that may use this package.
vi.mock('electron', async () => {
  const { EventEmitter: Emitter } = await import('node:events');
  ipc.emitter = new Emitter();
  return {
    contextBridge: {
      exposeInMainWorld: (name: string, api: unknown) => void renderer.exposed.set(name, api),
    },
    ipcRenderer: Object.assign(ipc.emitter, {
      invoke: async (...args: unknown[]) => {
        renderer.invoked.push(args);
        return { ok: true, value: {} };
      },
    }),
  };
});

let bridge: Bridge;
beforeAll(async () => {
  await import('../../src/preload/index');
  bridge = renderer.exposed.get('tandem') as Bridge;
});
beforeEach(() => {
  renderer.invoked.length = 0;
});

it('gives the page three functions and nothing of Electron', () => {
  expect([...renderer.exposed.keys()]).toEqual(['tandem']);
  expect(Object.keys(bridge).sort()).toEqual(['call', 'onConnection', 'subscribe']);
});

it('forwards every call of the contract, and no other', async () => {
  for (const name of Object.keys(contract.calls)) await bridge.call(name as CallName, {} as never);
  expect(renderer.invoked.map(([, name]) => name)).toEqual(Object.keys(contract.calls));
  renderer.invoked.length = 0;
  for (const name of ['shutdown', 'constructor', '__proto__']) {
    await expect(bridge.call(name as CallName, {} as never)).rejects.toThrow('no such call');
  }
  expect(renderer.invoked).toEqual([]);
});

it('delivers pushes as values, until it is unsubscribed', () => {
  const seen: unknown[][] = [];
  const stop = bridge.subscribe((...args: unknown[]) => void seen.push(args));
  const push: Push = { name: 'chatChanged', payload: { chatId: 'c' } };
  ipc.emitter?.emit(PUSH_CHANNEL, { sender: 'secret' }, push);
  expect(seen).toEqual([[push]]);
  stop();
  ipc.emitter?.emit(PUSH_CHANNEL, {}, push);
  expect(seen).toHaveLength(1);
});
