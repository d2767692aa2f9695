import { expect, it } from 'vitest';
import { ModelLookup } from '../../../../src/main/models/downloads/model-lookup';
import { checkOllamaName } from '../../../../src/main/models/downloads/ollama-name';
import type { DownloadSource } from '../../../../src/main/models/downloads/source';
import { FakeClock } from '../../../support/fake-clock';

it('ends after a minute, and a few run at once', async () => {
  const clock = new FakeClock();
  const signals: AbortSignal[] = [];
  const source: DownloadSource = {
    check: checkOllamaName,
    readiness: () => 'ready',
    pull: async () => {},
    lookUp(_name, signal) {
      signals.push(signal);
      return new Promise(() => {});
    },
  };
  const lookup = new ModelLookup({
    sources: new Map([['ollama', source]]),
    models: () => [],
    place: () => null,
    clock,
  });
  const look = (name: string) => lookup.find({ backend: 'ollama', name }).catch((error) => error.code);
  expect(await look('../x')).toBe('bad_model_name');
  expect(await lookup.find({ backend: 'studio', name: 'a' }).catch((error) => error.code)).toBe(
    'unsupported',
  );
  const looks = ['a', 'b', 'c', 'd'].map(look);
  expect(await look('e')).toBe('queue_full');
  await clock.advance(60_000);
  expect(await Promise.all(looks)).toEqual(['timeout', 'timeout', 'timeout', 'timeout']);
  expect(signals.every(({ aborted }) => aborted)).toBe(true);
  void look('f');
  expect(signals).toHaveLength(5);
});
