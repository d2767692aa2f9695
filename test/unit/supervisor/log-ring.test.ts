import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { MLX_LINES } from '../../../src/main/supervisor/evidence-lines';
import { drainLines, LogRing } from '../../../src/main/supervisor/log-ring';
import { settle } from '../../support/fake-clock';

test('stores the kind of a line, never the line', () => {
  const ring = new LogRing(MLX_LINES, () => 5);
  ring.add('user said: my secret');
  ring.add('[METAL] Command buffer execution failed: Insufficient Memory (my secret)');
  expect(ring.evidence()).toEqual([{ code: 'metal_out_of_memory', at: 5 }]);
  expect(JSON.stringify(ring)).not.toContain('secret');
});

test('is bounded, and can return what is new', () => {
  let now = 0;
  const ring = new LogRing([{ code: 'x', match: /x/ }], () => now, 3);
  for (; now < 10; now += 1) ring.add('x');
  expect(ring.evidence().map(({ at }) => at)).toEqual([7, 8, 9]);
  expect(ring.evidence(9)).toHaveLength(1);
});

test('lines are assembled from pieces, and endless ones do not accumulate', async () => {
  const stream = new PassThrough();
  const lines: string[] = [];
  drainLines(stream, (line) => lines.push(line));
  stream.write('one\ntw');
  stream.write('o\n');
  for (let piece = 0; piece < 100; piece += 1) stream.write('z'.repeat(10_000));
  stream.write('\nthree\n');
  await settle();
  expect([lines[0], lines[1], lines[3]]).toEqual(['one', 'two', 'three']);
  expect(lines[2]?.length).toBeLessThan(20_000);
  expect(stream.readableLength).toBe(0);
});
