import { APP_KINDS } from './kinds-app.ts';
import { MLX_KINDS } from './kinds-mlx.ts';
import { OLLAMA_KINDS } from './kinds-ollama.ts';
import type { World } from './world.ts';

/** What is known when a fault has been applied: was it seen, and if not, why it does not count. */
export type Effect = { seen: true } | { seen: false; why: string };

export const SEEN: Effect = { seen: true };

export function unless(condition: unknown, why: string): Effect {
  return condition ? SEEN : { seen: false, why };
}

/** One way to break something. */
export interface Kind {
  name: string;
  /** Needs the proxy in front of an Ollama that is not the app's. */
  mode: 'managed' | 'proxied';
  /** Takes half a minute or more, so it is done once, beside the shipped values. */
  shippedOnly?: boolean;
  /** Quick enough for the short run. */
  short?: boolean;
  /** Errors that this fault makes due beside those of every broken stream. */
  due?: readonly string[];
  /** Breaks it while something is under way there, and resolves when the effect was seen or can no longer come. */
  apply(world: World): Promise<Effect>;
  /** Puts back what a person would have to put back. */
  mend?(world: World): Promise<void>;
}

export const KINDS: readonly Kind[] = [...MLX_KINDS, ...OLLAMA_KINDS, ...APP_KINDS];
