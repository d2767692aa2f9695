import type { DatabaseSync } from 'node:sqlite';
import type { Answer, ChatSummary, Message } from '../../shared/chat';
import { TandemError } from '../../shared/errors';
import { THINK, THINK_END } from '../../shared/thinking';
import { eraseFromBackups } from './erase';
import { inTransaction } from './migrations';
import { previewLine } from './preview';
import type { StoreQueries } from './store-protocol';

type Row = Record<string, string | number | null>;

/** Limit of chats in the sidebar; older ones are found by search. */
const LISTED = 500;
const FOUND = 100;
const PREVIEW_CHARS = 160;

/** The text after a model's thinking, cut by the database, so that a long text is not read for its first line. */
const SAID = `CASE WHEN m.text LIKE '${THINK}%' AND instr(m.text, '${THINK_END}') > 0
  THEN substr(m.text, instr(m.text, '${THINK_END}')) ELSE m.text END`;

const SUMMARY = `SELECT c.id, c.title, c.created_at, c.updated_at,
  (SELECT substr(${SAID}, 1, ${PREVIEW_CHARS}) FROM messages m
    WHERE m.chat_id = c.id AND m.text <> '' ORDER BY m.seq DESC LIMIT 1) AS preview
  FROM chats c WHERE c.hidden = 0`;

/** A turn is a user message with its answers, including later retries; the chat is read turn by turn. */
const IN_CHAT_ORDER = `SELECT m.*, COALESCE(q.seq, m.seq) AS turn FROM messages m
  LEFT JOIN messages q ON q.id = m.reply_to`;

type ChatQueries = Omit<StoreQueries, 'modelUses' | 'writeJournal'>;

/** All queries for chats and messages. Throws SQLite's errors unchanged. */
export function chatQueries(db: DatabaseSync, backupDir: string): ChatQueries {
  // SQLite's own lower() folds only ASCII; chats are also in Cyrillic.
  db.function('fold', { deterministic: true }, (text) => String(text).toLowerCase());

  const listChats = () =>
    rows(db, `${SUMMARY} ORDER BY c.updated_at DESC, c.rowid DESC LIMIT ${LISTED}`).map(toSummary);

  return {
    listChats,

    searchChats(query) {
      const needle = query.trim().toLowerCase();
      if (needle === '') return listChats();
      return rows(
        db,
        `${SUMMARY} AND (instr(fold(c.title), :needle) > 0 OR EXISTS (
           SELECT 1 FROM messages f WHERE f.chat_id = c.id AND instr(fold(f.text), :needle) > 0))
         ORDER BY c.updated_at DESC, c.rowid DESC LIMIT ${FOUND}`,
        { needle },
      ).map(toSummary);
    },

    messages: (chatId) =>
      rows(db, `${IN_CHAT_ORDER} WHERE m.chat_id = :chatId ORDER BY turn, m.seq`, { chatId }).map(toMessage),

    message(id) {
      const row = rows(db, 'SELECT * FROM messages WHERE id = :id', { id })[0];
      return row ? toMessage(row) : null;
    },

    waitingAnswers: () =>
      rows(
        db,
        `SELECT m.* FROM messages m JOIN chats c ON c.id = m.chat_id
         WHERE c.hidden = 0 AND m.status = 'done' AND m.meta ->> '$.notice' = 'no_model' AND NOT EXISTS
           (SELECT 1 FROM messages n WHERE n.chat_id = m.chat_id AND n.reply_to = m.reply_to AND n.seq > m.seq)
         ORDER BY m.seq`,
      )
        .map(toMessage)
        .filter((message) => message.role === 'assistant'),

    addTurn: ({ chat, user, answer, replaces }) =>
      inTransaction(db, () => {
        if (chat) insertChat(db, chat, user.at);
        else requireChat(db, user.chatId);
        if (replaces !== undefined) truncateFrom(db, user.chatId, replaces);
        insertMessage(db, user);
        insertMessage(db, answer);
        touch(db, user.chatId, user.at);
      }),

    addAnswer: (answer) =>
      inTransaction(db, () => {
        requireChat(db, answer.chatId);
        insertMessage(db, answer);
        touch(db, answer.chatId, answer.at);
      }),

    saveAnswer({ id, text, status, meta }) {
      db.prepare('UPDATE messages SET text = ?, status = ?, meta = ? WHERE id = ?').run(
        text,
        status,
        JSON.stringify(meta),
        id,
      );
    },

    renameChat: (chatId, title) => changeChat(db, 'title = :value', chatId, title),
    hideChat: (chatId) => changeChat(db, 'hidden = :value', chatId, 1),
    restoreChat: (chatId) => changeChat(db, 'hidden = :value', chatId, 0),

    eraseChat: (chatId) => erase(db, backupDir, [chatId]),

    recover() {
      const interrupted = db
        .prepare(
          `UPDATE messages SET status = 'stopped', meta = json_set(meta, '$.notice', 'interrupted')
           WHERE status IN ('queued', 'streaming')`,
        )
        .run().changes;
      const hidden = rows(db, 'SELECT id FROM chats WHERE hidden = 1').map((row) => String(row.id));
      return { interrupted: Number(interrupted), erased: eraseWhatCanBe(db, backupDir, hidden) };
    },
  };
}

/** If a backup cannot be changed, its chats stay hidden until the next start; the app starts anyway. */
function eraseWhatCanBe(db: DatabaseSync, backupDir: string, chatIds: readonly string[]): number {
  try {
    erase(db, backupDir, chatIds);
    return chatIds.length;
  } catch {
    return 0;
  }
}

/**
 * Erases chats also from the backups, and from the write-ahead log, which would keep the text until its next
 * checkpoint. Backups come first: a chat that cannot be erased there stays hidden, so that the next start tries again.
 */
function erase(db: DatabaseSync, backupDir: string, chatIds: readonly string[]): void {
  const hidden = chatIds.filter(
    (id) => rows(db, 'SELECT 1 FROM chats WHERE id = :id AND hidden = 1', { id }).length > 0,
  );
  if (hidden.length === 0) return;
  eraseFromBackups(backupDir, hidden);
  const remove = db.prepare('DELETE FROM chats WHERE id = ? AND hidden = 1');
  for (const id of hidden) remove.run(id);
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
}

/** Prevents writes into a deleted chat, which would be lost with it. */
function requireChat(db: DatabaseSync, chatId: string): void {
  const found = rows(db, 'SELECT 1 FROM chats WHERE id = :chatId AND hidden = 0', { chatId });
  if (found.length === 0)
    throw new TandemError('not_found', 'This chat was deleted. Undo that, or start a new one.');
}

/** Deletes a message of a chat and all that follow it. */
function truncateFrom(db: DatabaseSync, chatId: string, messageId: string): void {
  const target = rows(db, `${IN_CHAT_ORDER} WHERE m.id = :messageId AND m.chat_id = :chatId`, {
    messageId,
    chatId,
  })[0];
  if (!target) throw new TandemError('not_found', 'This message is gone. Open the chat again.');
  db.prepare(
    `DELETE FROM messages WHERE seq IN (
       SELECT seq FROM (${IN_CHAT_ORDER}) WHERE chat_id = :chatId AND (turn, seq) >= (:turn, :seq))`,
  ).run({ chatId, turn: target.turn ?? 0, seq: target.seq ?? 0 });
}

function insertChat(db: DatabaseSync, chat: { id: string; title: string }, at: number): void {
  db.prepare('INSERT INTO chats (id, title, created_at, updated_at) VALUES (?, ?, ?, ?)').run(
    chat.id,
    chat.title,
    at,
    at,
  );
}

function insertMessage(db: DatabaseSync, message: Message): void {
  const answer: Partial<Answer> = message.role === 'assistant' ? message : {};
  db.prepare(
    'INSERT INTO messages (id, chat_id, role, reply_to, text, status, meta, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  ).run(
    message.id,
    message.chatId,
    message.role,
    answer.replyTo ?? null,
    message.text,
    answer.status ?? null,
    answer.meta ? JSON.stringify(answer.meta) : null,
    message.at,
  );
}

function touch(db: DatabaseSync, chatId: string, at: number): void {
  db.prepare('UPDATE chats SET updated_at = max(updated_at, ?) WHERE id = ?').run(at, chatId);
}

function changeChat(db: DatabaseSync, assignment: string, chatId: string, value: string | number): void {
  const { changes } = db.prepare(`UPDATE chats SET ${assignment} WHERE id = :chatId`).run({ chatId, value });
  if (changes === 0)
    throw new TandemError('not_found', 'This chat does not exist any more. Start a new one.');
}

function rows(db: DatabaseSync, sql: string, parameters: Record<string, string | number> = {}): Row[] {
  return db.prepare(sql).all(parameters) as Row[];
}

function toSummary(row: Row): ChatSummary {
  return {
    id: String(row.id),
    title: String(row.title),
    preview: previewLine(String(row.preview ?? '')),
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
  };
}

function toMessage(row: Row): Message {
  const common = {
    id: String(row.id),
    chatId: String(row.chat_id),
    text: String(row.text),
    at: Number(row.at),
  };
  if (row.role === 'user') return { role: 'user', ...common };
  return {
    role: 'assistant',
    ...common,
    replyTo: String(row.reply_to),
    status: row.status as Answer['status'],
    meta: JSON.parse(String(row.meta)) as Answer['meta'],
  };
}
