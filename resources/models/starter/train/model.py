"""A small Llama in plain JAX: the architecture that `mlx_lm.server` and Ollama load under that name.

Parameters are a flat dictionary under the names and in the (output, input) layout of the safetensors file.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

Params = dict[str, jax.Array]


@dataclass(frozen=True)
class ModelConfig:
    vocabulary: int
    hidden: int = 128
    layers: int = 3
    feed_forward: int = 320
    heads: int = 2
    kv_heads: int = 1
    head_size: int = 64
    rope_theta: float = 10_000.0
    norm_epsilon: float = 1e-5
    context: int = 1024


def initial_params(config: ModelConfig, seed: int) -> Params:
    """Normal weights of width 0.05, embeddings 0.02; layers that write to the residual stream start smaller."""
    random = np.random.default_rng(seed)

    def normal(rows: int, columns: int, width: float = 0.05) -> jax.Array:
        return jnp.asarray(random.normal(0.0, width, (rows, columns)), jnp.float32)

    params = {
        "model.embed_tokens.weight": normal(config.vocabulary, config.hidden, 0.02),
        "model.norm.weight": jnp.ones(config.hidden),
    }
    queries, keys = config.heads * config.head_size, config.kv_heads * config.head_size
    for layer in range(config.layers):
        prefix = f"model.layers.{layer}."
        params |= {
            prefix + "input_layernorm.weight": jnp.ones(config.hidden),
            prefix + "self_attn.q_proj.weight": normal(queries, config.hidden),
            prefix + "self_attn.k_proj.weight": normal(keys, config.hidden),
            prefix + "self_attn.v_proj.weight": normal(keys, config.hidden),
            prefix + "self_attn.o_proj.weight": normal(config.hidden, queries, 0.02),
            prefix + "post_attention_layernorm.weight": jnp.ones(config.hidden),
            prefix + "mlp.gate_proj.weight": normal(config.feed_forward, config.hidden),
            prefix + "mlp.up_proj.weight": normal(config.feed_forward, config.hidden),
            prefix + "mlp.down_proj.weight": normal(config.hidden, config.feed_forward, 0.02),
        }
    return params


def rms_norm(x: jax.Array, weight: jax.Array, epsilon: float) -> jax.Array:
    return x * jax.lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + epsilon) * weight


def rotate(x: jax.Array, theta: float) -> jax.Array:
    """Rotary positions on (batch, time, heads, head size), the two halves of a head paired as in Hugging Face's Llama."""
    time, size = x.shape[1], x.shape[-1]
    frequencies = 1.0 / theta ** (jnp.arange(0, size, 2) / size)
    angles = jnp.arange(time)[:, None] * frequencies
    cos, sin = jnp.cos(angles)[:, None, :], jnp.sin(angles)[:, None, :]
    left, right = x[..., : size // 2], x[..., size // 2 :]
    return jnp.concatenate([left * cos - right * sin, right * cos + left * sin], -1)


def attention(params: Params, prefix: str, config: ModelConfig, x: jax.Array) -> jax.Array:
    batch, time, _ = x.shape

    def heads(name: str, count: int) -> jax.Array:
        return (x @ params[f"{prefix}{name}_proj.weight"].T).reshape(batch, time, count, config.head_size)

    queries = rotate(heads("q", config.heads), config.rope_theta)
    shared = config.heads // config.kv_heads
    keys = jnp.repeat(rotate(heads("k", config.kv_heads), config.rope_theta), shared, 2)
    values = jnp.repeat(heads("v", config.kv_heads), shared, 2)
    scores = jnp.einsum("bqhd,bkhd->bhqk", queries, keys) * config.head_size**-0.5
    causal = jnp.tril(jnp.ones((time, time), bool))
    weights = jax.nn.softmax(jnp.where(causal, scores, -1e9), -1)
    mixed = jnp.einsum("bhqk,bkhd->bqhd", weights, values).reshape(batch, time, -1)
    return mixed @ params[prefix + "o_proj.weight"].T


def feed_forward(params: Params, prefix: str, x: jax.Array) -> jax.Array:
    gate = jax.nn.silu(x @ params[prefix + "gate_proj.weight"].T)
    return (gate * (x @ params[prefix + "up_proj.weight"].T)) @ params[prefix + "down_proj.weight"].T


def hidden_states(params: Params, config: ModelConfig, ids: jax.Array) -> jax.Array:
    """The normed last states of (batch, time) ids. Padding goes at the end, where it harms nothing."""
    x = params["model.embed_tokens.weight"][ids]
    for layer in range(config.layers):
        prefix = f"model.layers.{layer}."
        normed = rms_norm(x, params[prefix + "input_layernorm.weight"], config.norm_epsilon)
        x = x + attention(params, prefix + "self_attn.", config, normed)
        normed = rms_norm(x, params[prefix + "post_attention_layernorm.weight"], config.norm_epsilon)
        x = x + feed_forward(params, prefix + "mlp.", normed)
    return rms_norm(x, params["model.norm.weight"], config.norm_epsilon)


def logits_at(params: Params, config: ModelConfig, ids: jax.Array, places: jax.Array) -> jax.Array:
    """Scores of the next token at some places only (indices into the flattened ids): the vocabulary is the costly part."""
    states = hidden_states(params, config, ids).reshape(-1, config.hidden)
    return states[places] @ params["model.embed_tokens.weight"].T


def parameter_count(params: Params) -> int:
    return sum(array.size for array in params.values())
