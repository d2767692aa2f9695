import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Answer, askBoth, openQuestions, QUESTIONS } from './questions/ask.ts';
import { type Figures, median } from './report.ts';

const FILE = resolve(import.meta.dirname, '../../test-results/small-model-answers.md');

/**
 * Sends forty fixed questions to the real small model on both servers and writes the answers to
 * `test-results/small-model-answers.md`. The reader judges whether they are right.
 */
export async function questions(): Promise<Figures> {
  const opened = await openQuestions();
  const rows: { question: string; answers: Answer[] }[] = [];
  try {
    for (const question of QUESTIONS) rows.push({ question, answers: await askBoth(opened.app, question) });
  } finally {
    await opened.close();
  }
  await mkdir(join(FILE, '..'), { recursive: true });
  await writeFile(FILE, tableOf(rows));
  console.log(FILE);
  const answers = rows.flatMap((row) => row.answers);
  const secondsOf = (server: Answer['server']) =>
    median(answers.filter((answer) => answer.server === server).map(({ seconds }) => seconds));
  const faulty = answers.filter(({ faults }) => faults.length > 0);
  for (const { server, faults } of faulty) console.log(`${server}: ${faults.join(', ')}`);
  return {
    'questions.asked': { value: answers.length, unit: '', goal: null },
    'questions.faulty': { value: faulty.length, unit: '', goal: 0, correct: true },
    'questions.cut': { value: answers.filter(({ cut }) => cut).length, unit: '', goal: null },
    'questions.mlx.median': { value: secondsOf('mlx'), unit: 's', goal: null },
    'questions.ollama.median': { value: secondsOf('ollama'), unit: 's', goal: null },
  };
}

function tableOf(rows: readonly { question: string; answers: Answer[] }[]): string {
  const cell = ({ text, cut }: Answer) =>
    `${text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')}${cut ? ' …' : ''}`;
  const lines = rows.map(({ question, answers }) => `| ${question} | ${answers.map(cell).join(' | ')} |`);
  return ['| question | MLX | Ollama |', '|---|---|---|', ...lines, ''].join('\n');
}
