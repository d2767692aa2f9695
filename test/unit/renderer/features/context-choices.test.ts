import { describe, expect, it } from 'vitest';
import { contextChoices } from '../../../../src/renderer/features/models/context-choices';

describe('the context lengths on offer', () => {
  it.each([
    ['a limit between two steps', 40_960, null, [4_096, 8_192, 16_384, 32_768, 40_960]],
    ['a limit that is a step', 16_384, null, [4_096, 8_192, 16_384]],
    ['a limit below the first step', 2_048, null, [2_048]],
    ['a chosen one between two steps', 16_384, 10_000, [4_096, 8_192, 10_000, 16_384]],
    ['a chosen one above the limit', 8_192, 20_000, [4_096, 8_192, 20_000]],
    ['an unknown limit', null, null, [4_096, 8_192, 16_384, 32_768, 65_536, 131_072]],
  ])('%s', (_case, limit, pinned, choices) => {
    expect(contextChoices(limit, pinned)).toEqual(choices);
  });
});
