"""Greedy answers of the trained parameters, without a server."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from model import ModelConfig, Params, logits_at
from tokenization import PAD_ID, TURN_END_ID, ChatEncoder

MAX_REPLY_TOKENS = 72


@partial(jax.jit, static_argnames="config")
def next_tokens(params: Params, config: ModelConfig, ids: jax.Array, ends: jax.Array) -> jax.Array:
    """The likeliest token after the first `ends` ids of each row."""
    places = jnp.arange(ids.shape[0]) * ids.shape[1] + ends - 1
    return logits_at(params, config, ids, places).argmax(-1)


def greedy_replies(params: Params, config: ModelConfig, encoder: ChatEncoder, texts: list[str]) -> list[str | None]:
    """The answer to each text alone, or None where it did not end by itself within `MAX_REPLY_TOKENS`."""
    prompts = [encoder.prompt(text) for text in texts]
    starts = np.array([len(prompt) for prompt in prompts])
    ids = np.full((len(texts), starts.max() + MAX_REPLY_TOKENS), PAD_ID, np.int32)
    for row, prompt in enumerate(prompts):
        ids[row, : len(prompt)] = prompt
    ends, running = starts.copy(), np.ones(len(texts), bool)
    for _ in range(MAX_REPLY_TOKENS):
        tokens = np.asarray(next_tokens(params, config, ids, ends))
        ids[running, ends[running]] = tokens[running]
        ends[running] += 1
        running &= tokens != TURN_END_ID
        if not running.any():
            break
    return [
        None if running[row] else encoder.decode(ids[row, starts[row] : ends[row] - 1].tolist()) for row in range(len(texts))
    ]
