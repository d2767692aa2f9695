import { writeFile } from 'node:fs/promises';
import { cpus, platform, totalmem } from 'node:os';

/** One figure of a benchmark. `correct` figures must be 0 or the run fails. */
export interface Figure {
  value: number;
  unit: string;
  /** Largest value that meets the goal; null = no goal. */
  goal: number | null;
  /** The goal is a minimum instead. */
  atLeast?: boolean;
  /** Counts something that must never happen (lost, leaked, wrong). */
  correct?: boolean;
}

export type Figures = Record<string, Figure>;

const met = ({ value, goal, atLeast }: Figure) => goal === null || (atLeast ? value >= goal : value <= goal);

/** Prints the table and writes the JSON file; returns the exit code. */
export async function report(name: string, figures: Figures, file: string | null): Promise<number> {
  const rows = Object.entries(figures).map(([key, figure]) => [
    key,
    `${round(figure.value)} ${figure.unit}`,
    figure.goal === null ? '' : `${figure.atLeast ? '>=' : '<='} ${round(figure.goal)} ${figure.unit}`,
    figure.goal === null ? '' : met(figure) ? 'met' : 'missed',
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows) console.log(row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  if (file) {
    const machine = {
      platform: platform(),
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      memory_bytes: totalmem(),
    };
    const json = Object.fromEntries(
      Object.entries(figures).map(([key, figure]) => [
        key,
        { value: figure.value, unit: figure.unit, goal: figure.goal, met: met(figure) },
      ]),
    );
    await writeFile(
      file,
      `${JSON.stringify({ name, date: new Date().toISOString(), machine, figures: json }, null, 2)}\n`,
    );
  }
  return Object.values(figures).some((figure) => figure.correct && figure.value !== 0) ? 1 : 0;
}

function round(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

/** The median; NaN for an empty list. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The value below which `share` (0–1) of the values lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
