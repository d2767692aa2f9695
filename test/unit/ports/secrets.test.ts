import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { safeCipher } from '../../../src/main/electron/safe-cipher';
import { HubToken } from '../../../src/main/models/downloads/hub-token';
import { nodeFileStore } from '../../../src/main/ports/file-store';
import { SecretFile } from '../../../src/main/ports/secrets';
import { MemoryFiles } from '../../support/memory-files';
import { filesContaining, tempDir } from '../../support/temp-dir';

const SECRET = 'hf_a-secret-of-the-test';

/** Electron's module with a key that can be taken away. */
function storage(backend = 'gnome_libsecret') {
  const state = { available: true };
  const turned = (bytes: Buffer) => Buffer.from(bytes.map((byte) => byte ^ 0x5a));
  const module = {
    isEncryptionAvailable: () => state.available,
    getSelectedStorageBackend: () => backend,
    encryptString: (text: string) => turned(Buffer.from(text)),
    decryptString(bytes: Buffer) {
      if (!state.available) throw new Error('locked');
      return turned(bytes).toString();
    },
  };
  return { state, module: module as unknown as Electron.SafeStorage };
}

it('without a secret store they are in a file that only its owner can read', async () => {
  const dir = tempDir();
  const path = join(dir, 'secrets.json');
  const secrets = new SecretFile({ files: nodeFileStore, path, cipher: null });
  expect(await secrets.get('a')).toBeNull();
  await Promise.all([secrets.set('a', SECRET), secrets.set('b', 'other')]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const again = new SecretFile({ files: nodeFileStore, path, cipher: null });
  expect([await again.get('a'), await again.get('b')]).toEqual([SECRET, 'other']);
  await again.delete('a');
  expect(await again.get('a')).toBeNull();
  expect(filesContaining(dir, SECRET)).toEqual([]);
});

it('with a secret store only its cipher text is on disk', async () => {
  const { module, state } = storage();
  const dir = tempDir();
  const path = join(dir, 'secrets.json');
  const secrets = new SecretFile({ files: nodeFileStore, path, cipher: safeCipher(module, 'darwin') });
  await secrets.set('a', SECRET);
  expect(filesContaining(dir, SECRET)).toEqual([]);
  expect(await secrets.get('a')).toBe(SECRET);
  state.available = false;
  expect(await secrets.get('a')).toBeNull();
  // Another host of the same data folder cannot read it.
  expect(await new SecretFile({ files: nodeFileStore, path, cipher: null }).get('a')).toBeNull();
});

it('are refused while the store is locked, and where its key is no secret', async () => {
  const locked = storage();
  locked.state.available = false;
  for (const [module, platform] of [
    [locked.module, 'darwin'],
    [storage('basic_text').module, 'linux'],
  ] as const) {
    const files = new MemoryFiles();
    const secrets = new SecretFile({ files, path: 'secrets.json', cipher: safeCipher(module, platform) });
    await expect(secrets.set('a', SECRET)).rejects.toMatchObject({ code: 'secret_store_unavailable' });
    expect(files.files.size).toBe(0);
  }
});

it('a damaged file counts as empty', async () => {
  const files = new MemoryFiles();
  files.files.set('secrets.json', '{"a": 1}');
  const secrets = new SecretFile({ files, path: 'secrets.json', cipher: null });
  expect(await secrets.get('a')).toBeNull();
  await secrets.set('a', SECRET);
  expect(await secrets.get('a')).toBe(SECRET);
});

it("the environment's token takes precedence over the stored one, and both are reported", async () => {
  const secrets = new SecretFile({ files: new MemoryFiles(), path: 'secrets.json', cipher: null });
  const plain = new HubToken(secrets, {});
  expect(await plain.state()).toEqual({ stored: false, fromEnvironment: false });
  await plain.set(` ${SECRET}\n`);
  expect(await plain.current()).toBe(SECRET);
  const given = new HubToken(secrets, { HF_TOKEN: 'hf_other' });
  expect(await given.state()).toEqual({ stored: true, fromEnvironment: true });
  expect(await given.current()).toBeNull();
  await plain.set(null);
  expect(await plain.state()).toEqual({ stored: false, fromEnvironment: false });
});
