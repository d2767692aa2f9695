"""Cuts the corpus into batches of token ids and says which tokens are to be predicted: those of the replies."""

from typing import Iterator, NamedTuple

import numpy as np

from generator import Message, Picker
from replies import REPLIES
from tokenization import PAD_ID, ChatEncoder

PROMPT_LIMIT = 34


class BatchShape(NamedTuple):
    rows: int
    length: int
    predicted: int
    """How many tokens are predicted at most; fixed, because JAX compiles once for each shape."""


class Batch(NamedTuple):
    inputs: np.ndarray
    """(rows, length) token ids."""
    places: np.ndarray
    """Where in the flattened inputs the next token is predicted, filled up with zeros."""
    targets: np.ndarray
    """The tokens that come there."""
    weights: np.ndarray
    """1 for a place, 0 for a filler."""


# Which reply it will be is decided in its first tokens, and the rest is soon known by heart. So most steps show
# many messages with the opening of their reply only; every fourth shows conversations with whole replies, as many turns
# as fit into a row, which also teaches to answer the last message and not an earlier one.
OPENING_TOKENS = 4
OPENINGS = BatchShape(rows=64, length=PROMPT_LIMIT + OPENING_TOKENS - 1, predicted=64 * OPENING_TOKENS)
CONVERSATIONS = BatchShape(rows=12, length=150, predicted=12 * 150)


def batches(corpus: list[Message], encoder: ChatEncoder, steps: int, seed: int) -> Iterator[Batch]:
    """`steps` batches; the corpus is gone through again, in its order and with new word cuts, when it ends."""
    pick = Picker(seed)
    messages = endless(corpus)
    for step in range(steps):
        yield conversations(messages, encoder, pick) if step % 4 == 0 else openings(messages, encoder, pick)


def endless(corpus: list[Message]) -> Iterator[Message]:
    while True:
        yield from corpus


def openings(messages: Iterator[Message], encoder: ChatEncoder, pick: Picker) -> Batch:
    """One message and the first tokens of its reply in every row."""
    page = Page(OPENINGS)
    for row in range(OPENINGS.rows):
        prompt, reply = exchange(next(messages), encoder, pick)
        page.write(row, 0, prompt, reply[:OPENING_TOKENS])
    return page.batch()


def conversations(messages: Iterator[Message], encoder: ChatEncoder, pick: Picker) -> Batch:
    """Whole exchanges one after the other in every row, until the next does not fit; that one starts the next row."""
    page = Page(CONVERSATIONS)
    prompt, reply = exchange(next(messages), encoder, pick)
    for row in range(CONVERSATIONS.rows):
        end, between = 0, []
        while end + len(between) + len(prompt) + len(reply) <= CONVERSATIONS.length + 1:
            end = page.write(row, end, between + prompt, reply)
            between = encoder.turn_break
            prompt, reply = exchange(next(messages), encoder, pick)
    return page.batch()


def exchange(message: Message, encoder: ChatEncoder, pick: Picker) -> tuple[list[int], list[int]]:
    prompt = encoder.varied_prompt(message.text, pick)
    if len(prompt) > PROMPT_LIMIT:
        prompt = encoder.prompt(message.text)[-PROMPT_LIMIT:]
    return prompt, encoder.reply(REPLIES[message.lang][message.kind])


class Page:
    """Token ids of a batch while it is being filled."""

    def __init__(self, shape: BatchShape) -> None:
        self._shape = shape
        self._ids = np.full((shape.rows, shape.length + 1), PAD_ID, np.int32)
        self._is_reply = np.zeros((shape.rows, shape.length + 1), bool)

    def write(self, row: int, start: int, prompt: list[int], reply: list[int]) -> int:
        """Writes an exchange into a row and gives the place after it."""
        middle = start + len(prompt)
        end = middle + len(reply)
        self._ids[row, start:middle], self._ids[row, middle:end] = prompt, reply
        self._is_reply[row, middle:end] = True
        return end

    def batch(self) -> Batch:
        found = np.flatnonzero(self._is_reply[:, 1:])
        places = np.zeros(self._shape.predicted, np.int32)
        places[: len(found)] = found
        weights = (np.arange(self._shape.predicted) < len(found)).astype(np.float32)
        return Batch(self._ids[:, :-1], places, self._ids[:, 1:].reshape(-1)[places], weights)
