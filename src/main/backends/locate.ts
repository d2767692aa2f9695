import type { Details } from '../../shared/status';

/** Path of a backend's program, or why it is missing. */
export type Located = { path: string } | { absent: Absent };

export interface Absent {
  code: string;
  cure: string;
  /** Facts for the UI's own sentence: `command` or `address`. */
  details?: Details;
  /** The set-up is still installing it. */
  setup?: boolean;
}

export type Locate = () => Promise<Located>;
