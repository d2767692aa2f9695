/** Where a backend's program is, or why it is not there. `setup` says that the set-up is still at work on it. */
export type Located = { path: string } | { absent: { code: string; cure: string; setup?: boolean } };

export type Locate = () => Promise<Located>;
