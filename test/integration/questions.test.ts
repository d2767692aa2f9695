import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askBoth, openQuestions, QUESTIONS, type QuestionsApp } from '../bench/questions/ask';

/** Four of the forty questions of `npm run bench -- questions`. */
let app: QuestionsApp;

beforeAll(async () => {
  app = await openQuestions();
});
afterAll(async () => app?.close());

describe('the real small model', () => {
  it.each([0, 10, 20, 30].map((index) => QUESTIONS[index] ?? ''))(
    'answers on both servers: %s',
    async (question) => {
      const answers = await askBoth(app, question);
      for (const { faults, text } of answers) {
        expect(faults).toEqual([]);
        expect(text).toMatch(/\p{L}/u);
      }
    },
  );
});
