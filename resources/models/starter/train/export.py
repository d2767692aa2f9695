"""Writes the model folder in the form that `mlx_lm.server` and `ollama create` load unchanged."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save
from tokenizers import Tokenizer

from model import ModelConfig, Params
from tokenization import PAD_ID, SPECIAL_TOKENS, TURN_END_ID

PAD, TURN_START, TURN_END = SPECIAL_TOKENS

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def half_precision(params: Params) -> dict[str, np.ndarray]:
    return {name: np.asarray(array).astype(np.float16) for name, array in sorted(params.items())}


def weights_file(params: Params) -> bytes:
    return save(half_precision(params), metadata={"format": "pt"})


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write_model(folder: Path, params: Params, config: ModelConfig, tokenizer: Tokenizer) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "model.safetensors", weights_file(params))
    write(folder / "tokenizer.json", tokenizer.to_str(pretty=False).encode() + b"\n")
    write_json(folder / "config.json", model_description(config))
    write_json(folder / "generation_config.json", GENERATION)
    write_json(folder / "tokenizer_config.json", TOKENIZER_DESCRIPTION)


def write(path: Path, data: bytes) -> None:
    """Readable by all: the servers may run under another account than the one that made the file."""
    path.write_bytes(data)
    path.chmod(0o644)


def write_json(path: Path, value: Any) -> None:
    write(path, json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n")


def model_description(config: ModelConfig) -> dict[str, Any]:
    return {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "hidden_size": config.hidden,
        "num_hidden_layers": config.layers,
        "intermediate_size": config.feed_forward,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.kv_heads,
        "head_dim": config.head_size,
        "hidden_act": "silu",
        "rms_norm_eps": config.norm_epsilon,
        "vocab_size": config.vocabulary,
        "rope_theta": config.rope_theta,
        "max_position_embeddings": config.context,
        "tie_word_embeddings": True,
        "attention_bias": False,
        "mlp_bias": False,
        "eos_token_id": TURN_END_ID,
        "pad_token_id": PAD_ID,
        "torch_dtype": "float16",
    }


GENERATION = {
    "eos_token_id": [TURN_END_ID, PAD_ID],
    "pad_token_id": PAD_ID,
    "do_sample": False,
    "temperature": 0.0,
}

# A `bos_token` that is not added: without the name Ollama puts a token of its own choice before the prompt.
TOKENIZER_DESCRIPTION = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "bos_token": PAD,
    "eos_token": TURN_END,
    "pad_token": PAD,
    "add_bos_token": False,
    "add_eos_token": False,
    "clean_up_tokenization_spaces": False,
    "model_max_length": 1024,
    "chat_template": CHAT_TEMPLATE,
}
