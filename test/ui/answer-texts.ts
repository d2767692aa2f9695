/** Typical model output, in three parts that each fill a window. */
const CODE = `\`\`\`typescript
/** Merges two sorted lists. */
export function merge<T>(a: readonly T[], b: readonly T[]): T[] {
  const out: T[] = [];
  let i = 0; // into a
  for (const item of b) {
    while (i < a.length && a[i] <= item) out.push(a[i++]);
    out.push(item);
  }
  return [...out, ...a.slice(i)];
}
\`\`\`

\`\`\`sh
curl -s "http://127.0.0.1:4141/health" | jq '.backends[] | {id, state, model, memory}'
\`\`\``;
const ARABIC = `مرحبا بالعالم! هذا نص عربي مع كلمة Tandem في وسطه.

- بند أول
- بند ثان مع \`code\`

> اقتباس قصير`;
const FORMULA = '\\[\nx_{1,2} = \\frac{-b \\pm \\sqrt{b^2 - 4ac}}{2a}\n\\]';
const steps = (word: string) =>
  Array.from({ length: 11 }, (_, step) => `${step + 1}. ${word} $x_{${step + 1}} = ${step}$`).join('\n');

export const ANSWERS = {
  en: {
    thought: 'Thought for 4.2 s',
    math: `<think>
They ask for the *formula*. With \\(a \\ne 0\\) it is the usual one.
</think>

The roots of \\(ax^2 + bx + c = 0\\) are

${FORMULA}

so a \`Vec<f64>\` holds them, or a List<String> their names. It takes 3~5 steps:

${steps('Step with')}`,
    code: `| Language | Characteristics | Implementation | Recommended for |
|---|---|---|---|
| TypeScript | strict, structural<br>erased at run time | compiler in Go | applications |
| Swift | value types | LLVM | macOS |

${CODE}`,
    scripts: `The greeting is written from right to left:

${ARABIC}

It is explained in [the manual][m] and in a note[^1].

<div class="note">
  Tags are text.
</div>

[m]: https://example.org/manual
[^1]: Arabic is read from right to left, **numbers** are not.`,
  },
  ru: {
    thought: 'Размышление: 4,2 с',
    math: `<think>
Просят *формулу*. При \\(a \\ne 0\\) она обычная.
</think>

Корни уравнения \\(ax^2 + bx + c = 0\\):

${FORMULA}

Их хранит \`Vec<f64>\`, а имена — List<String>. Нужно 3~5 шагов:

${steps('Шаг, где')}`,
    code: `| Язык | Характеристики | Реализация | Рекомендуется для |
|---|---|---|---|
| TypeScript | строгие типы<br>стираются при запуске | компилятор на Go | приложений |
| Swift | типы-значения | LLVM | macOS |

${CODE}`,
    scripts: `Приветствие пишется справа налево:

${ARABIC}

Подробнее — в [руководстве][m] и в сноске[^1].

<div class="note">
  Теги — это текст.
</div>

[m]: https://example.org/manual
[^1]: Арабский читают справа налево, **числа** — нет.`,
  },
};
