import type { Details } from '../../shared/status';

/** Where a backend's program is, or why it is not there. */
export type Located = { path: string } | { absent: Absent };

export interface Absent {
  code: string;
  cure: string;
  /** Facts for the UI's own sentence: `command` or `address`. */
  details?: Details;
  /** The set-up is still at work on it. */
  setup?: boolean;
}

export type Locate = () => Promise<Located>;
