"""Cuts the corpus into batches of token ids with a weight for every token that is to be predicted."""

from typing import Iterator, NamedTuple

import numpy as np

from generator import Message, Picker
from replies import REPLIES
from tokenization import PAD_ID, ChatEncoder

PROMPT_LIMIT = 34


class BatchShape(NamedTuple):
    rows: int
    length: int


class Batch(NamedTuple):
    inputs: np.ndarray
    targets: np.ndarray
    weights: np.ndarray


# Which reply it will be is decided in its first tokens, and the rest is soon known by heart. So two steps of three show
# many messages with the opening of their reply only; every third shows conversations with whole replies, as many turns
# as fit into a row, which also teaches to answer the last message and not an earlier one.
OPENINGS = BatchShape(rows=64, length=PROMPT_LIMIT + 3)
OPENING_TOKENS = 4
CONVERSATIONS = BatchShape(rows=12, length=150)


def batches(corpus: list[Message], encoder: ChatEncoder, steps: int, seed: int) -> Iterator[Batch]:
    """`steps` batches; the corpus is gone through again, in its order and with new word cuts, when it ends."""
    pick = Picker(seed)
    messages = endless(corpus)
    for step in range(steps):
        yield conversations(messages, encoder, pick) if step % 3 == 0 else openings(messages, encoder, pick)


def endless(corpus: list[Message]) -> Iterator[Message]:
    while True:
        yield from corpus


def openings(messages: Iterator[Message], encoder: ChatEncoder, pick: Picker) -> Batch:
    """One message and the first tokens of its reply in every row."""
    ids, weights = empty(OPENINGS)
    for row in range(OPENINGS.rows):
        prompt, reply = exchange(next(messages), encoder, pick)
        place(ids[row], weights[row], 0, prompt, reply[:OPENING_TOKENS])
    return shifted(ids, weights)


def conversations(messages: Iterator[Message], encoder: ChatEncoder, pick: Picker) -> Batch:
    """Whole exchanges one after the other in every row, until the next does not fit; that one starts the next row."""
    ids, weights = empty(CONVERSATIONS)
    prompt, reply = exchange(next(messages), encoder, pick)
    for row in range(CONVERSATIONS.rows):
        end = 0
        while end + len(prompt) + len(reply) <= ids.shape[1]:
            end = place(ids[row], weights[row], end, prompt, reply)
            prompt, reply = exchange(next(messages), encoder, pick)
            prompt = [*encoder.turn_break, *prompt]
        prompt = prompt[len(encoder.turn_break) :]
    return shifted(ids, weights)


def exchange(message: Message, encoder: ChatEncoder, pick: Picker) -> tuple[list[int], list[int]]:
    prompt = encoder.varied_prompt(message.text, pick)
    if len(prompt) > PROMPT_LIMIT:
        prompt = encoder.prompt(message.text)[-PROMPT_LIMIT:]
    return prompt, encoder.reply(REPLIES[message.lang][message.kind])


def empty(shape: BatchShape) -> tuple[np.ndarray, np.ndarray]:
    size = (shape.rows, shape.length + 1)
    return np.full(size, PAD_ID, np.int32), np.zeros(size, np.float32)


def place(ids: np.ndarray, weights: np.ndarray, start: int, prompt: list[int], reply: list[int]) -> int:
    """Writes an exchange into a row; only its reply is to be predicted. Gives the place after it."""
    middle = start + len(prompt)
    end = middle + len(reply)
    ids[start:middle], ids[middle:end], weights[middle:end] = prompt, reply, 1.0
    return end


def shifted(ids: np.ndarray, weights: np.ndarray) -> Batch:
    return Batch(ids[:, :-1], ids[:, 1:], weights[:, 1:])
