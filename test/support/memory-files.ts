import type { FileStore } from '../../src/main/ports/file-store';

/** Small text files in memory; if `fail` is set, every write rejects with it. */
export class MemoryFiles implements Pick<FileStore, 'readText' | 'replace'> {
  readonly files = new Map<string, string>();
  fail: Error | null = null;

  async readText(path: string): Promise<string | null> {
    return this.files.get(path) ?? null;
  }

  async replace(path: string, text: string): Promise<void> {
    if (this.fail) throw this.fail;
    this.files.set(path, text);
  }
}
