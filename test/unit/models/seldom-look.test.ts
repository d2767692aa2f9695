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

it('looks at once for what is missed first, and once for all who miss it while the look goes on', async () => {
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

it('takes the last look for the answer for three seconds, then looks again', async () => {
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

it('looks once a second at the most, whatever is missed, and nobody is left with an older look', async () => {
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
