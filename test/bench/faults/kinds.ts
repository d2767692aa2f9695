import { APP_KINDS } from './kinds-app.ts';
import { MLX_KINDS } from './kinds-mlx.ts';
import { OLLAMA_KINDS } from './kinds-ollama.ts';
import type { World } from './world.ts';

/** Result of applying a fault: whether the effect was observed, and if not, why it does not count. */
export type Effect = { seen: true } | { seen: false; why: string };

export const SEEN: Effect = { seen: true };

export function unless(condition: unknown, why: string): Effect {
  return condition ? SEEN : { seen: false, why };
}

/** One way to break something. */
export interface Kind {
  name: string;
  /** `proxied` needs the proxy in front of an Ollama that the app does not manage. */
  mode: 'managed' | 'proxied';
  /** Takes half a minute or more, so it runs once, with the shipped values. */
  shippedOnly?: boolean;
  /** Quick enough for the short run. */
  short?: boolean;
  /** Errors that this fault makes acceptable, in addition to those of every broken stream. */
  due?: readonly string[];
  /** Breaks the target while it is in use; resolves when the effect was observed or can no longer occur. */
  apply(world: World): Promise<Effect>;
  /** Repairs what a user would have to repair. */
  mend?(world: World): Promise<void>;
}

export const KINDS: readonly Kind[] = [...MLX_KINDS, ...OLLAMA_KINDS, ...APP_KINDS];
