import type { SafeStorage } from 'electron';
import type { Cipher } from '../ports/secrets';

/**
 * Encryption with a key in the Keychain (macOS) or the desktop's secret service (Linux). Without such a service
 * Electron uses a key that is the same on every machine; that counts as unavailable.
 */
export function safeCipher(storage: SafeStorage, platform: NodeJS.Platform): Cipher {
  return {
    isAvailable: () =>
      storage.isEncryptionAvailable() &&
      (platform !== 'linux' || storage.getSelectedStorageBackend() !== 'basic_text'),
    encrypt: (text) => storage.encryptString(text).toString('base64'),
    decrypt: (text) => storage.decryptString(Buffer.from(text, 'base64')),
  };
}
