import { silentLogger } from '../../src/main/ports/logger';
import { openStore } from '../../src/main/store/store-client';
import type { Answer } from '../../src/shared/chat';
import { emptyMeta } from '../../src/shared/empty-meta';

/** A child process that streams an answer into a store in an endless loop and prints each length once it is saved. */
const [dataDir = '', workerUrl = ''] = process.argv.slice(2);
const store = await openStore({ dataDir, workerUrl: new URL(workerUrl), logger: silentLogger });
const answer = {
  role: 'assistant' as const,
  id: 'answer',
  chatId: 'chat',
  replyTo: 'question',
  text: '',
  status: 'queued' as Answer['status'],
  meta: emptyMeta(),
  at: 2,
};
await store.addTurn({
  chat: { id: 'chat', title: 'Streaming' },
  user: { role: 'user', id: 'question', chatId: 'chat', text: 'Tell me a long story', at: 1 },
  answer,
});
answer.status = 'streaming';
for (;;) {
  answer.text += 'Once upon a time. ';
  await store.saveAnswer(answer);
  process.stdout.write(`${answer.text.length}\n`);
}
