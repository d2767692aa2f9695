/**
 * @typedef {object} Context input of every part of the runtime set-up
 * @property {import('./paths.js').Place} place
 * @property {ReturnType<typeof import('./manifest.js').readManifest>} manifest
 * @property {boolean} allowPackages false with `--no-system-packages`
 * @property {boolean} [adopt] default true; false: running servers are ignored
 * @property {(stage: string, detail: string, percent: number | null, usable?: { source: string, path: string, version: string }) => void} report
 * usable: what can be used meanwhile
 * @property {AbortSignal} [signal]
 */
export {};
