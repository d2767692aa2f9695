import { describe, expect, it } from 'vitest';
import { addText, applyState, applyText, joinMessages } from '../../../../src/renderer/stores/stream-text';
import type { Message } from '../../../../src/shared/chat';
import { answerMeta, fakeAnswer } from '../../../support/fake-snapshot';

const user: Message = { role: 'user', id: 'u1', chatId: 'chat-1', text: 'hi', at: 1 };
const streaming = fakeAnswer({ id: 'a1', replyTo: 'u1', status: 'streaming', text: 'abc' });
const push = { answerId: 'a1', chatId: 'chat-1' };
const state = { ...push, replyTo: 'u1', meta: answerMeta({ source: 'mlx' }), at: 2 };

describe('addText', () => {
  it.each([
    ['the next piece', 3, 'def', 'abcdef'],
    ['a piece that it has', 1, 'bc', 'abc'],
    ['a piece that it has in part', 1, 'bcde', 'abcde'],
    ['all of it again', 0, 'abcdef', 'abcdef'],
    ['nothing', 3, '', 'abc'],
  ])('handles %s', (_, offset, text, expected) => {
    expect(addText('abc', { offset, text })).toEqual({ kind: 'text', text: expected });
  });

  it('detects a gap when an earlier piece is missing', () => {
    expect(addText('abc', { offset: 4, text: 'e' })).toEqual({ kind: 'gap' });
  });
});

describe('applyText', () => {
  it('changes only the growing answer', () => {
    const other = fakeAnswer({ id: 'a0', replyTo: 'u1', text: 'old' });
    const outcome = applyText([user, other, streaming], { ...push, offset: 3, text: 'd' });
    expect(outcome.kind).toBe('messages');
    if (outcome.kind !== 'messages') return;
    expect(outcome.messages[1]).toBe(other);
    expect(outcome.messages[2]).toMatchObject({ text: 'abcd' });
  });

  it('keeps the same array when there is nothing new', () => {
    const messages = [user, streaming];
    const outcome = applyText(messages, { ...push, offset: 0, text: 'abc' });
    expect(outcome.kind === 'messages' && outcome.messages).toBe(messages);
  });

  it('detects a gap for an unknown answer', () => {
    expect(applyText([user], { ...push, offset: 0, text: 'a' }).kind).toBe('gap');
  });
});

describe('applyState', () => {
  it('changes status and label and keeps the text', () => {
    const outcome = applyState([user, streaming], { ...state, status: 'done', length: 3 });
    expect(outcome).toMatchObject({ kind: 'messages', messages: [user, { status: 'done', text: 'abc' }] });
  });

  it('adds an answer that another window requested', () => {
    const outcome = applyState([user], { ...state, status: 'queued', length: 0 });
    expect(outcome).toMatchObject({
      kind: 'messages',
      messages: [user, { id: 'a1', status: 'queued', text: '' }],
    });
  });

  it('detects a gap for an end with more text, and for an answer to an unknown message', () => {
    expect(applyState([user, streaming], { ...state, status: 'done', length: 4 }).kind).toBe('gap');
    expect(applyState([], { ...state, status: 'queued', length: 0 }).kind).toBe('gap');
  });

  it('starts over when an answer is queued again', () => {
    const outcome = applyState([user, streaming], { ...state, status: 'queued', length: 0 });
    expect(outcome).toMatchObject({ messages: [user, { text: '', status: 'queued' }] });
  });
});

describe('joinMessages', () => {
  it('keeps text that was pushed after the core read the message', () => {
    const read = { ...streaming, text: 'ab' };
    expect(joinMessages([user, read], [user, streaming])).toMatchObject([user, { text: 'abc' }]);
  });

  it('uses the read data in every other case', () => {
    const done = { ...streaming, status: 'done' as const, text: 'ab' };
    expect(joinMessages([user, done], [user, streaming])).toEqual([user, done]);
    const other = { ...streaming, text: 'xy' };
    expect(joinMessages([user, other], [user, streaming])).toEqual([user, other]);
  });
});
