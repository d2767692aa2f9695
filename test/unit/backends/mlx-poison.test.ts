import { expect, test } from 'vitest';
import { toMlxCall, validate } from '../../../src/main/backends/dialects/openai/validate';
import { readChat, readGenerate } from '../../../src/main/gateway/dialects/ollama-request';
import { INSTANCES } from '../../support/backends';
import { POISON, type Poison } from '../../support/poison';

/** The path from a client's body to the request that mlx_lm.server gets; test/integration uses the real server. */

const FACTS = { vocabSize: 3072, contextLength: 2048 };
const RULES = {
  modelOptional: true,
  defaultCategory: undefined,
  firstBackend: undefined,
  backends: INSTANCES,
  named: () => [],
};

async function sentTo(poison: Poison): Promise<Record<string, unknown>> {
  const body = typeof poison.body === 'string' ? JSON.parse(poison.body) : poison.body;
  const { request } = await (poison.path === '/api/chat' ? readChat : readGenerate)(body, RULES);
  const onlyLoads = request.rawPrompt === undefined && request.messages.length === 0;
  const asked = onlyLoads ? [{ role: 'user' as const, content: 'hi' }] : request.messages;
  const safe = validate({ ...request, id: 'r', model: 'm', messages: asked }, FACTS);
  return toMlxCall(safe, '/models/m').body;
}

test.each(POISON)('$what', async (poison) => {
  const { outcome } = poison;
  switch (outcome.kind) {
    case 'refused':
      await expect(sentTo(poison)).rejects.toThrow(outcome.field);
      return;
    case 'elsewhere':
      await expect(sentTo(poison)).rejects.toMatchObject({ code: 'unsupported' });
      return;
    case 'sent': {
      const body = await sentTo(poison);
      for (const [field, value] of Object.entries(outcome.fields)) {
        expect(body[field]).toEqual(value === 'clamped' ? FACTS.vocabSize - 1 : value);
      }
    }
  }
});

test('nothing else ever reaches the server', async () => {
  const known = ['chat_template_kwargs', 'max_tokens', 'messages', 'min_p', 'model', 'prompt'];
  const more = ['repetition_penalty', 'seed', 'stop', 'stream', 'stream_options'];
  const sampling = ['temperature', 'top_k', 'top_p'];
  for (const poison of POISON.filter(({ outcome }) => outcome.kind === 'sent')) {
    expect([...known, ...more, ...sampling]).toEqual(
      expect.arrayContaining(Object.keys(await sentTo(poison))),
    );
  }
});
