import { describe, expect, it } from 'vitest';
import { categoryByRules } from '../../../src/main/router/categories';

type Row = [text: string, category: string, reason: string];

function table(name: string, rows: Row[]): void {
  describe(name, () => {
    it.each(rows)('%s', (text, category, reason) => {
      expect(categoryByRules(text)).toEqual({ category, evidence: [`rule:${reason}`] });
    });
  });
}

table('English', [
  ['hello there', 'greeting', 'greeting'],
  ['ping', 'fast', 'probe'],
  ['What is the capital of Norway?', 'fast', 'short-fact'],
  ['Write a Python script that renames my photos', 'coding', 'code-request'],
  ['Why does my React component render twice?', 'coding', 'code-request'],
  ['fix this bug please', 'coding', 'code-request'],
  ['Return the longest key of a mapping.', 'coding', 'code-documentation'],
  ['Prove that the sum of two odd numbers is even', 'reasoning', 'maths'],
  [
    'Nora buys 3 boxes of tea with 20 bags each and drinks 2 bags a day. How many days does the tea last her?',
    'reasoning',
    'word-problem',
  ],
  [
    'Three cats sit on a wall. Tom is to the left of Bo. Bo is to the left of Max. Who sits in the middle?',
    'reasoning',
    'logic',
  ],
  ['What are the pros and cons of moving our office to the coast?', 'reasoning', 'analysis'],
  ['Show the names of all employees hired in 2021', 'data_question', 'data-query'],
  ['How many customers have more than two open invoices?', 'data_question', 'data-query'],
  ['What is in my calendar for Friday?', 'data_question', 'own-data'],
  ['Write a birthday poem for my sister', 'general', 'default'],
  ['Who painted the ceiling of that chapel in Rome?', 'general', 'default'],
  ['', 'general', 'default'],
]);

table('Russian', [
  ['Привет!', 'greeting', 'greeting'],
  ['проверка связи', 'fast', 'probe'],
  ['Какая столица Норвегии?', 'fast', 'short-fact'],
  ['Напиши функцию на питоне, которая переворачивает строку', 'coding', 'code-request'],
  ['Объясни регулярные выражения', 'coding', 'code-request'],
  ['Почему падает мой docker контейнер?', 'coding', 'code-request'],
  ['Докажи, что сумма двух нечётных чисел чётна', 'reasoning', 'maths'],
  [
    'Нора купила 3 коробки чая по 20 пакетиков и пьёт по 2 пакетика в день. На сколько дней ей хватит чая?',
    'reasoning',
    'word-problem',
  ],
  ['Рыцарь всегда говорит правду, а лжец всегда лжёт. Кто из них кто?', 'reasoning', 'logic'],
  ['Взвесь плюсы и минусы переезда нашего офиса к морю', 'reasoning', 'analysis'],
  ['Сколько заказов оформили клиенты за прошлую неделю?', 'data_question', 'data-query'],
  ['Что у меня в моём календаре на пятницу?', 'data_question', 'own-data'],
  ['Сочини поздравление для сестры', 'general', 'default'],
  ['Кто расписал потолок той капеллы в Риме?', 'general', 'default'],
]);

table('code in any language', [
  ['что здесь не так?\n```\nx = 1\n```', 'coding', 'code-block'],
  ['def area(r):\n    return 3 * r * r', 'coding', 'code-text'],
  ['const total = items.reduce(add);', 'coding', 'code-text'],
  ['SELECT name FROM staff WHERE age > 30', 'coding', 'code-text'],
  ['Traceback (most recent call last):\n  File "a.py", line 3', 'coding', 'stack-trace'],
]);

describe('categoryByRules', () => {
  it('reads the request at the end of a long text', () => {
    const text = `${'The wind was cold that day. '.repeat(4000)}\nTranslate this into a Python docstring.`;
    expect(categoryByRules(text)).toEqual({ category: 'coding', evidence: ['rule:code-request'] });
  });

  it('does not depend on the length of the text in between', () => {
    const hostile = ['a'.repeat(300_000), ' '.repeat(300_000), '('.repeat(300_000), 'select '.repeat(50_000)];
    for (const text of hostile) expect(categoryByRules(text).category).toBe('general');
  });
});
