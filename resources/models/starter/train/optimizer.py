"""AdamW with clipping by global norm and a cosine learning rate (Loshchilov and Hutter, "Decoupled Weight Decay")."""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from batches import Batch
from model import ModelConfig, Params, logits_at


@dataclass(frozen=True)
class Hyperparameters:
    steps: int = 700
    peak_rate: float = 4e-3
    warmup_share: float = 0.05
    final_rate_share: float = 0.02
    beta1: float = 0.9
    beta2: float = 0.98
    epsilon: float = 1e-8
    weight_decay: float = 0.05
    clip_norm: float = 1.0


class OptimizerState(NamedTuple):
    step: jax.Array
    mean: Params
    square: Params


def initial_state(params: Params) -> OptimizerState:
    return OptimizerState(
        jnp.zeros((), jnp.int32), jax.tree.map(jnp.zeros_like, params), jax.tree.map(jnp.zeros_like, params)
    )


def learning_rate(step: jax.Array, hyper: Hyperparameters) -> jax.Array:
    share = step / hyper.steps
    cosine = 0.5 * (1 + jnp.cos(jnp.pi * share))
    decayed = hyper.final_rate_share + (1 - hyper.final_rate_share) * cosine
    return hyper.peak_rate * jnp.minimum(1.0, share / hyper.warmup_share) * decayed


def mean_loss(params: Params, config: ModelConfig, batch: Batch) -> jax.Array:
    """Mean cross-entropy in nats over the tokens to be predicted."""
    scores = jax.nn.log_softmax(logits_at(params, config, batch.inputs, batch.places))
    chosen = jnp.take_along_axis(scores, batch.targets[:, None], -1)[:, 0]
    return -(chosen * batch.weights).sum() / batch.weights.sum()


@partial(jax.jit, static_argnames=("config", "hyper"), donate_argnames=("params", "state"))
def train_step(
    params: Params, state: OptimizerState, batch: Batch, config: ModelConfig, hyper: Hyperparameters
) -> tuple[Params, OptimizerState, jax.Array]:
    loss, gradients = jax.value_and_grad(mean_loss)(params, config, batch)
    norm = jnp.sqrt(sum(jnp.sum(g * g) for g in gradients.values()))
    scale = jnp.minimum(1.0, hyper.clip_norm / (norm + 1e-6))
    step = state.step + 1
    rate = learning_rate(step, hyper)
    mean = {n: hyper.beta1 * state.mean[n] + (1 - hyper.beta1) * g * scale for n, g in gradients.items()}
    square = {n: hyper.beta2 * state.square[n] + (1 - hyper.beta2) * (g * scale) ** 2 for n, g in gradients.items()}

    def updated(name: str) -> jax.Array:
        direction = (mean[name] / (1 - hyper.beta1**step)) / (
            jnp.sqrt(square[name] / (1 - hyper.beta2**step)) + hyper.epsilon
        )
        decay = hyper.weight_decay if params[name].ndim == 2 else 0.0
        return params[name] - rate * (direction + decay * params[name])

    return {name: updated(name) for name in params}, OptimizerState(step, mean, square), loss
