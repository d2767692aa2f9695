import { buildEntry } from '../support/build-worker.ts';
import type * as Steps from './frame-steps.ts';
import { type Figures, median } from './report.ts';

/** Frames of one answer. */
const FRAMES = 20_000;
const ROUNDS = 9;
/** Cost of translating one frame, µs. */
const GOAL_US = 20;
const MESSAGES = 20;
const REQUESTS = 2_000;

/** The cost of the neutral form: CPU time for one frame of an answer, and for one request, without any socket. */
export async function frame(): Promise<Figures> {
  const built = await buildEntry('test/bench/frame-steps.ts');
  try {
    return await measure((await import(built.url.href)) as typeof Steps);
  } finally {
    await built.remove();
  }
}

async function measure({
  fromMlx,
  fromOllama,
  translation,
  dispatched,
  requestTimes,
}: typeof Steps): Promise<Figures> {
  const mlx = fromMlx(FRAMES);
  const ollama = fromOllama(FRAMES);
  const times = {
    mlx_translated: [] as number[],
    ollama_translated: [] as number[],
    ollama_dispatched: [] as number[],
    request_read: [] as number[],
    request_written: [] as number[],
  };
  for (let round = 0; round <= ROUNDS; round += 1) {
    const request = await requestTimes(MESSAGES, REQUESTS);
    const found = {
      mlx_translated: translation(mlx),
      ollama_translated: translation(ollama),
      ollama_dispatched: await dispatched(ollama),
      request_read: request.read,
      request_written: request.write,
    };
    // The first round compiles the code.
    if (round > 0) for (const [name, us] of Object.entries(found)) times[name as keyof typeof times].push(us);
  }
  const figures: Figures = {};
  for (const [name, values] of Object.entries(times)) {
    const goal = name.endsWith('translated') ? GOAL_US : null;
    figures[`frame.${name}`] = { value: median(values), unit: 'µs', goal };
  }
  return figures;
}
