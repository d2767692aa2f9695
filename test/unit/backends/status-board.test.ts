import { expect, test } from 'vitest';
import { StatusBoard } from '../../../src/main/backends/status-board';

test('reports only real changes', () => {
  const board = new StatusBoard('mlx', 10);
  const states: string[] = [];
  board.onStatus(({ state, memoryBytes }) => states.push(`${state} ${memoryBytes}`));
  board.set({ state: 'starting' });
  board.set({ state: 'starting', absence: null });
  board.set({ state: 'ready', memoryBytes: 1000 });
  board.set({ memoryBytes: 1010 });
  board.set({ memoryBytes: 1100 });
  board.set({ memoryBytes: null });
  expect(states).toEqual(['starting null', 'ready 1000', 'ready 1100', 'ready null']);
});

test('equal error objects are no change', () => {
  const board = new StatusBoard('ollama', 10);
  let told = 0;
  board.onStatus(() => {
    told += 1;
  });
  for (let i = 0; i < 3; i += 1) board.set({ lastError: { code: 'exited', message: 'm', at: 1 } });
  expect(told).toBe(1);
});
