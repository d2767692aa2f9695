import { buildRenderer } from './renderer-server';

/** Before the UI tests start, so that two files do not build the same folder at once. */
export default async function buildUi(): Promise<void> {
  await buildRenderer();
}
