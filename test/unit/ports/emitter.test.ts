import { describe, expect, it, vi } from 'vitest';
import { Emitter } from '../../../src/main/ports/emitter';

describe('an emitter', () => {
  it('continues after a listener that throws, and logs it without a secret', () => {
    const said: string[] = [];
    const console = vi
      .spyOn(globalThis.console, 'error')
      .mockImplementation((line) => void said.push(String(line)));
    const emitter = new Emitter<number>();
    const heard: number[] = [];
    emitter.subscribe(() => {
      throw new Error('cannot reach http://me:hunter2@studio/?token=abcdef');
    });
    emitter.subscribe((value) => heard.push(value));
    emitter.emit(7);
    console.mockRestore();
    expect(heard).toEqual([7]);
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('listener_failed');
    expect(said[0]).not.toMatch(/hunter2|abcdef/);
  });
});
