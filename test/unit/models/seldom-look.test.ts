import { expect, it } from 'vitest';
import { SeldomLook } from '../../../src/main/models/seldom-look';
import { FakeClock } from '../../support/fake-clock';

function setUp() {
  const clock = new FakeClock();
  const begun: number[] = [];
  let looking = Promise.withResolvers<void>();
  const looks = new SeldomLook({
    clock,
    look: () => {
      begun.push(clock.now());
      return looking.promise;
    },
  });
  /** Ends the running searches. */
  const found = () => {
    looking.resolve();
    looking = Promise.withResolvers<void>();
  };
  const isOver = async (look: Promise<void>) => {
    let over = false;
    void look.then(() => {
      over = true;
    });
    await clock.advance(0);
    return over;
  };
  return { clock, looks, begun, found, isOver };
}

it('scans at once for the first missing name, and once for all callers during a scan', async () => {
  const { clock, looks, begun, found, isOver } = setUp();
  const first = looks.for('a');
  await clock.advance(500);
  const second = looks.for('a');
  expect(begun).toEqual([0]);
  expect(await isOver(second)).toBe(false);
  found();
  expect(await isOver(first)).toBe(true);
  expect(await isOver(second)).toBe(true);
});

it('reuses the last result for three seconds, then scans again', async () => {
  const { clock, looks, begun, found, isOver } = setUp();
  void looks.for('a');
  await clock.advance(0);
  found();
  await clock.advance(2_999);
  expect(await isOver(looks.for('a'))).toBe(true);
  expect(begun).toEqual([0]);
  await clock.advance(1);
  void looks.for('a');
  await clock.advance(0);
  expect(begun).toEqual([0, 3_000]);
});

it('scans at most once per second, whatever is missing, and no caller gets an older result', async () => {
  const { clock, looks, begun, found, isOver } = setUp();
  void looks.for('a');
  await clock.advance(0);
  found();
  await clock.advance(300);
  const waiting = Array.from({ length: 5_000 }, (_, n) => looks.for(`b${n}`));
  expect(begun).toEqual([0]);
  expect(await isOver(waiting[0] as Promise<void>)).toBe(false);
  await clock.advance(700);
  found();
  await Promise.all(waiting);
  expect(begun).toEqual([0, 1_000]);
});
