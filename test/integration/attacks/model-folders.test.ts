import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { NO_SERVERS, startApp } from '../../support/app';
import { connect } from '../../support/contract-client';
import { tempDir } from '../../support/temp-dir';

/** A model in which a FIFO replaces one file. Opening a FIFO for reading waits for a writer. */
function makeModel(folder: string, fifo?: string): void {
  mkdirSync(folder, { recursive: true });
  const header = JSON.stringify({ w: { dtype: 'U8', shape: [4], data_offsets: [0, 4] } });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const config = { model_type: 'llama', architectures: ['LlamaForCausalLM'] };
  const files = {
    'config.json': JSON.stringify(config),
    'tokenizer.json': '{}',
    'model.safetensors': Buffer.concat([length, Buffer.from(`${header}data`)]),
  };
  for (const [name, content] of Object.entries(files))
    if (name !== fifo) writeFileSync(join(folder, name), content);
  if (fifo) execFileSync('mkfifo', [join(folder, fifo)]);
}

it('works with FIFOs in model folders: settings, page, the other models and the exit', async () => {
  const home = tempDir();
  const models = join(home, 'mlx-models');
  const fifos = ['config.json', 'tokenizer.json', 'model.safetensors.index.json', 'model.safetensors'];
  // Four of them block every thread that Node has for files.
  for (const [index, fifo] of fifos.entries()) makeModel(join(models, `odd-${index}b`), fifo);
  execFileSync('mkfifo', [join(home, '.lmstudio-home-pointer')]);
  makeModel(join(models, 'late-9b'), 'config.json');
  makeModel(join(models, 'whole-1b'));
  const app = await startApp({ env: { ...NO_SERVERS, HOME: home }, args: [] });
  try {
    const ui = await connect(app.ready.web);
    await ui.value('modelsRescan', {});
    const { warnings, models: listed } = await ui.snapshot();
    const whole = listed.filter(({ broken }) => !broken);
    // mlx-lm does not read the index.
    expect(whole.map(({ name }) => name)).toEqual(['odd-2b', 'whole-1b']);
    const incomplete = warnings.filter(({ code }) => code === 'model_incomplete');
    expect(incomplete.map(({ details }) => details?.file).sort()).toEqual(
      ['config.json', ...fifos.filter((name) => !name.endsWith('.index.json'))].sort(),
    );
    await ui.value('settingsSet', { key: 'theme', value: 'dark' });
    await ui.value('settingsSet', { key: 'modelFolders', value: [models] });
    const fifo = [join(models, 'late-9b', 'config.json')];
    expect(await ui.call('settingsSet', { key: 'modelFolders', value: fifo })).toMatchObject({
      error: { code: 'setting_invalid' },
    });
    expect((await fetch(app.ready.web)).status).toBe(200);
  } finally {
    const { code } = await app.stop();
    await app.remove();
    expect(code).toBe(0);
  }
});
