import { expect, it } from 'vitest';
import { AnswerSaver } from '../../../src/main/chat/answer-saver';
import { silentLogger } from '../../../src/main/ports/logger';
import type { Answer } from '../../../src/shared/chat';
import { FakeClock } from '../../support/fake-clock';
import { fakeAnswer } from '../../support/fake-snapshot';

const half = fakeAnswer({ id: 'a', replyTo: 'u', text: 'half', status: 'streaming' });
const whole = fakeAnswer({ id: 'a', replyTo: 'u', text: 'half and the rest', status: 'done' });

/** A store that writes in call order, each write when the test releases it. */
class SlowStore {
  row: Answer | null = null;
  full = false;
  readonly #writes: (() => void)[] = [];

  saveAnswer(answer: Answer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#writes.push(() => {
        if (this.full) return reject(new Error('disk full'));
        this.row = answer;
        resolve();
      });
    });
  }

  write(): void {
    for (const write of this.#writes.splice(0)) write();
  }
}

it('writes no older state over the last one, whenever the retry happens', async () => {
  const clock = new FakeClock();
  const store = new SlowStore();
  const saver = new AnswerSaver(store, clock, silentLogger);
  store.full = true;
  void saver.save(half);
  store.write();
  await clock.advance(0);
  store.full = false;
  void saver.save(whole);
  await clock.advance(60_000);
  store.write();
  await clock.advance(0);
  expect(store.row).toEqual(whole);
  expect(saver.unsaved(whole.id)).toBeUndefined();
});

it('keeps the last state of an answer until there is space for it', async () => {
  const clock = new FakeClock();
  const store = new SlowStore();
  const saver = new AnswerSaver(store, clock, silentLogger);
  store.full = true;
  void saver.save(half);
  void saver.save(whole);
  store.write();
  await clock.advance(0);
  expect(saver.unsaved(whole.id)).toEqual(whole);
  store.full = false;
  await clock.advance(60_000);
  store.write();
  await clock.advance(0);
  expect(store.row).toEqual(whole);
});
