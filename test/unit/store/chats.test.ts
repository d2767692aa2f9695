import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { chatQueries } from '../../../src/main/store/chats';
import { openConnection } from '../../../src/main/store/database';
import { migrate } from '../../../src/main/store/migrations';
import { toStoreError } from '../../../src/main/store/sqlite-errors';
import type { Answer } from '../../../src/shared/chat';
import { answerTo, turn } from '../../support/messages';
import { filesContaining, tempDir } from '../../support/temp-dir';

function open(dir = tempDir()) {
  const db = openConnection(`${dir}/tandem.db`);
  onTestFinished(() => {
    if (db.isOpen) db.close();
  });
  migrate(db, `${dir}/backups`, new Date(0));
  return { dir, db, chats: chatQueries(db, `${dir}/backups`) };
}

describe('chats', () => {
  it('stores a turn: question and queued answer together, the newest chat first', () => {
    const { chats } = open();
    const first = turn('a', 1);
    chats.addTurn({ chat: { id: 'a', title: 'Alpha' }, ...first });
    chats.addTurn({ chat: { id: 'b', title: 'Beta' }, ...turn('b', 2) });

    expect(chats.messages('a')).toEqual([first.user, first.answer]);
    expect(chats.message(first.answer.id)).toEqual(first.answer);
    expect(chats.listChats().map(({ id, preview }) => [id, preview])).toEqual([
      ['b', 'question 2'],
      ['a', 'question 1'],
    ]);
  });

  it('stores nothing of a turn whose answer cannot be stored', () => {
    const { chats } = open();
    const { user, answer } = turn('a', 1);
    const broken = { ...answer, id: user.id };
    expect(() => chats.addTurn({ chat: { id: 'a', title: 'A' }, user, answer: broken })).toThrow();
    expect(chats.listChats()).toEqual([]);
    expect(chats.message(user.id)).toBeNull();
  });

  it('lists the answers that wait for a model: the newest of its message, not in deleted chats', () => {
    const { chats } = open();
    const noModel = (answer: Answer): Answer => ({
      ...answer,
      status: 'done',
      meta: { ...answer.meta, notice: 'no_model' },
    });
    const turns = { a: turn('a', 1), b: turn('b', 2), c: turn('c', 3) };
    for (const [id, { user, answer }] of Object.entries(turns)) {
      chats.addTurn({ chat: { id, title: id }, user, answer: noModel(answer) });
    }
    chats.addTurn({ chat: null, ...turn('a', 4) });
    const again = noModel({ ...turns.a.answer, id: 'again' });
    chats.addAnswer(again);
    chats.addAnswer({ ...turns.b.answer, id: 'better' });
    chats.hideChat('c');
    expect(chats.waitingAnswers()).toEqual([again]);
  });

  it('saves text, status and label of an answer', () => {
    const { chats } = open();
    const { user, answer } = turn('a', 1);
    chats.addTurn({ chat: { id: 'a', title: 'A' }, user, answer });
    const saved = {
      ...answer,
      text: 'Привет!',
      status: 'done' as const,
      meta: { ...answer.meta, model: 'm' },
    };
    chats.saveAnswer(saved);
    expect(chats.message(answer.id)).toEqual(saved);
    expect(chats.listChats()[0]?.preview).toBe('Привет!');
  });

  it('previews the answer, not the thinking before it, as plain text', () => {
    const { chats } = open();
    const { user, answer } = turn('a', 1);
    chats.addTurn({ chat: { id: 'a', title: 'A' }, user, answer });
    chats.saveAnswer({ ...answer, text: `<think>${'hm '.repeat(500)}</think>\n\n## Yes\n\n**Do** it.` });
    expect(chats.listChats()[0]?.preview).toBe('Yes Do it.');
  });

  it('reads a chat turn by turn, a retry next to its question, and truncates in that order', () => {
    const { chats } = open();
    const one = turn('a', 1);
    const two = turn('a', 2);
    chats.addTurn({ chat: { id: 'a', title: 'A' }, ...one });
    chats.addTurn({ chat: null, ...two });
    const retry = answerTo(one.user, 'a-a1-again');
    chats.addAnswer(retry);
    expect(chats.messages('a').map((message) => message.id)).toEqual([
      'a-u1',
      'a-a1',
      'a-a1-again',
      'a-u2',
      'a-a2',
    ]);

    const ids = () => chats.messages('a').map((message) => message.id);
    chats.addTurn({ chat: null, ...turn('a', 3), replaces: 'a-u2' });
    expect(ids()).toEqual(['a-u1', 'a-a1', 'a-a1-again', 'a-u3', 'a-a3']);
    expect(caught(() => chats.addTurn({ chat: null, ...turn('a', 4), replaces: 'a-u2' }))).toBe('not_found');
    expect(ids()).toEqual(['a-u1', 'a-a1', 'a-a1-again', 'a-u3', 'a-a3']);
  });

  it('finds titles and texts regardless of case, in Latin and Cyrillic, and without wildcards', () => {
    const { chats } = open();
    chats.addTurn({ chat: { id: 'a', title: 'Поездка' }, ...turn('a', 1, 'Сколько стоит БИЛЕТ в Казань?') });
    chats.addTurn({ chat: { id: 'b', title: 'Python' }, ...turn('b', 2, 'Write a Function') });
    const found = (query: string) => chats.searchChats(query).map((chat) => chat.id);
    expect(found('билет')).toEqual(['a']);
    expect(found('ПОЕЗД')).toEqual(['a']);
    expect(found('function')).toEqual(['b']);
    expect(found('%')).toEqual([]);
    expect(found('  ')).toEqual(['b', 'a']);
  });

  it('replaces a message atomically', () => {
    const { chats } = open();
    chats.addTurn({ chat: { id: 'a', title: 'A' }, ...turn('a', 1) });
    const before = chats.messages('a');
    const { user, answer } = turn('a', 2);
    // The same id a second time: the write of the answer fails after that of the message.
    expect(() =>
      chats.addTurn({ chat: null, user, answer: { ...answer, id: user.id }, replaces: 'a-u1' }),
    ).toThrow();
    expect(chats.messages('a')).toEqual(before);
  });

  it('stores nothing in a deleted chat, since it would be lost with it', () => {
    const { chats } = open();
    const { user, answer } = turn('a', 1);
    chats.addTurn({ chat: { id: 'a', title: 'A' }, user, answer });
    const tries = [
      () => chats.addTurn({ chat: null, ...turn('a', 2) }),
      () => chats.addAnswer(answerTo(user, 'a-a1-again')),
    ];
    chats.hideChat('a');
    expect(tries.map(caught)).toEqual(['not_found', 'not_found']);
    chats.eraseChat('a');
    expect(tries.map(caught)).toEqual(['not_found', 'not_found']);
  });

  it('hides, restores and renames; a chat that is gone is not_found', () => {
    const { chats } = open();
    chats.addTurn({ chat: { id: 'a', title: 'A' }, ...turn('a', 1) });
    chats.hideChat('a');
    expect(chats.listChats()).toEqual([]);
    expect(chats.searchChats('question')).toEqual([]);
    chats.restoreChat('a');
    chats.renameChat('a', 'New');
    expect(chats.listChats()[0]?.title).toBe('New');
    expect(() => chats.renameChat('none', 'x')).toThrow(expect.objectContaining({ code: 'not_found' }));
    expect(caught(() => chats.addTurn({ chat: null, ...turn('none', 1) }))).toBe('not_found');
  });

  it('erases a hidden chat so that no file in the folder contains its text, including backups', () => {
    const { dir, db, chats } = open();
    chats.addTurn({ chat: { id: 'a', title: 'A' }, ...turn('a', 1, 'canary-7f3a') });
    chats.addTurn({ chat: { id: 'b', title: 'B' }, ...turn('b', 2, 'kept-9c1d') });
    // A backup as the next migration would create it.
    db.exec('PRAGMA user_version = 1; DROP TABLE journal');
    migrate(db, `${dir}/backups`, new Date(0));
    expect(filesContaining(dir, 'canary-7f3a')).toContain('backups/1970-01-01T00-00-00.000Z-version-1.db');

    chats.eraseChat('a');
    expect(chats.listChats().map((chat) => chat.id)).toContain('a');
    chats.hideChat('a');
    chats.eraseChat('a');
    expect(filesContaining(dir, 'canary-7f3a')).toEqual([]);
    expect(filesContaining(dir, 'kept-9c1d')).toHaveLength(2);
  });

  it('recovers after a crash: running answers become stopped, hidden chats are erased', () => {
    const { chats } = open();
    const { user, answer } = turn('a', 1);
    chats.addTurn({ chat: { id: 'a', title: 'A' }, user, answer });
    chats.saveAnswer({ ...answer, text: 'half', status: 'streaming' });
    chats.addTurn({ chat: { id: 'b', title: 'B' }, ...turn('b', 2) });
    chats.hideChat('b');
    expect(chats.recover()).toEqual({ interrupted: 2, erased: 1 });
    expect(chats.message(answer.id)).toMatchObject({
      text: 'half',
      status: 'stopped',
      meta: { ...answer.meta, notice: 'interrupted' },
    });
    expect(chats.messages('b')).toEqual([]);
    expect(chats.recover()).toEqual({ interrupted: 0, erased: 0 });
  });

  it('fails with disk_full when the file cannot grow, and keeps the existing data', () => {
    const { db, chats } = open();
    const { user, answer } = turn('a', 1);
    chats.addTurn({ chat: { id: 'a', title: 'A' }, user, answer });
    db.exec(`PRAGMA max_page_count = ${db.prepare('PRAGMA page_count').get()?.page_count}`);
    expect(caught(() => chats.saveAnswer({ ...answer, text: 'x'.repeat(100_000) }))).toBe('disk_full');
    expect(caught(() => chats.addTurn({ chat: null, ...turn('a', 2, 'y'.repeat(100_000)) }))).toBe(
      'disk_full',
    );
    expect(chats.messages('a')).toEqual([user, answer]);
  });
});

function caught(run: () => void): string {
  try {
    run();
  } catch (error) {
    return toStoreError(error).code;
  }
  return 'nothing';
}

describe('toStoreError', () => {
  it('passes our own errors and maps unknown ones to internal', () => {
    const memory = new DatabaseSync(':memory:');
    expect(caught(() => memory.exec('not sql'))).toBe('internal');
    memory.close();
  });
});
