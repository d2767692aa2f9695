/**
 * @typedef {object} Context input of every part of the runtime set-up
 * @property {import('./paths.js').Place} place
 * @property {ReturnType<typeof import('./manifest.js').readManifest>} manifest
 * @property {boolean} allowPackages false with `--no-system-packages`
 * @property {boolean} [adopt] default true; false: running servers are ignored
 * @property {(stage: string, detail: string, percent: number | null, usable?: { source: string, path: string, version: string }) => void} report
 * usable: what can be used meanwhile
 * @property {AbortSignal} [signal]
 *
 * @typedef {object} Job input of the parts of `npm start`, `npm test` and of the tools
 * @property {string} root project folder
 * @property {import('./paths.js').Place} place
 * @property {any} manifest
 * @property {import('./options.js').StartOptions} options
 * @property {ReturnType<typeof import('./steps.js').stepPrinter>} steps
 * @property {NodeJS.WritableStream} out
 * @property {AbortSignal} [signal]
 */
export {};
