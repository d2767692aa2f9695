/**
 * @typedef {object} Context what every part of the runtime set-up needs
 * @property {import('./paths.js').Place} place
 * @property {ReturnType<typeof import('./manifest.js').readManifest>} manifest
 * @property {boolean} allowPackages false with `--no-system-packages`
 * @property {boolean} [adopt] default true; false: servers that run already are left alone
 * @property {(stage: string, detail: string, percent: number | null, usable?: { source: string, path: string, version: string }) => void} report
 *   usable: what can be run meanwhile
 * @property {AbortSignal} [signal]
 */
export {};
