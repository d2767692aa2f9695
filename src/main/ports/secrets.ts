import { z } from 'zod';
import { TandemError } from '../../shared/errors';
import type { FileStore } from './file-store';

/** Keeps secrets by name. Values never appear in logs. */
export interface Secrets {
  /** Null = not stored, or it can no longer be decrypted. */
  get(name: string): Promise<string | null>;
  /** Rejects with `secret_store_unavailable` or `disk_full`, and then the old value still applies. */
  set(name: string, value: string): Promise<void>;
  delete(name: string): Promise<void>;
}

/** Encryption by the system's secret store. */
export interface Cipher {
  /** False while the store is locked or missing. */
  isAvailable(): boolean;
  /** To text that can be stored. */
  encrypt(text: string): string;
  /** Throws for text that it did not encrypt. */
  decrypt(text: string): string;
}

const fileSchema = z.record(z.string(), z.object({ encrypted: z.boolean(), value: z.string() }));

/**
 * Secrets in a file of the data folder that only its owner can read (0600): encrypted with a key of the system's secret
 * store, or as plain text where the host has no such store (`cipher` is null: the headless host).
 */
export class SecretFile implements Secrets {
  readonly #files: Pick<FileStore, 'readText' | 'replace'>;
  readonly #path: string;
  readonly #cipher: Cipher | null;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: {
    files: Pick<FileStore, 'readText' | 'replace'>;
    path: string;
    cipher: Cipher | null;
  }) {
    this.#files = options.files;
    this.#path = options.path;
    this.#cipher = options.cipher;
  }

  async get(name: string): Promise<string | null> {
    const entry = (await this.#read())[name];
    if (!entry?.encrypted) return entry?.value ?? null;
    try {
      return this.#cipher?.decrypt(entry.value) ?? null;
    } catch {
      return null;
    }
  }

  async set(name: string, value: string): Promise<void> {
    const cipher = this.#cipher;
    if (cipher && !cipher.isAvailable())
      throw new TandemError(
        'secret_store_unavailable',
        "The system's secret store is locked or missing, so nothing was stored. Unlock it, or set HF_TOKEN in the environment.",
      );
    const entry = { encrypted: cipher !== null, value: cipher ? cipher.encrypt(value) : value };
    await this.#change((all) => ({ ...all, [name]: entry }));
  }

  async delete(name: string): Promise<void> {
    await this.#change((all) => Object.fromEntries(Object.entries(all).filter(([one]) => one !== name)));
  }

  /** One change at a time, so that none is lost. */
  #change(change: (all: z.infer<typeof fileSchema>) => z.infer<typeof fileSchema>): Promise<void> {
    const done = this.#turn.then(async () => {
      await this.#files.replace(this.#path, JSON.stringify(change(await this.#read())));
    });
    this.#turn = done.catch(() => {});
    return done;
  }

  /** An unreadable file counts as empty: what is in it cannot be recovered. */
  async #read(): Promise<z.infer<typeof fileSchema>> {
    try {
      return fileSchema.parse(JSON.parse((await this.#files.readText(this.#path)) ?? '{}'));
    } catch {
      return {};
    }
  }
}
