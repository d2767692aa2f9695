/** HTTP as the core sees it: the standard `fetch`. */
export type Fetcher = typeof fetch;
