"""Turns a small Llama GGUF into a folder that mlx-lm loads, exactly as it is quantised.

`mx.load` reads Q4_0, Q4_1 and Q8_0 blocks as MLX's own affine quantisation (groups of 32), so no weight changes its value:
tensors get Hugging Face's names, and the rows of the query and key projections their order, which llama.cpp changes. The
tokenizer is made from the tokens and merges in the file. It runs with the Python of the MLX environment.

    python convert-gguf.py --gguf model.gguf --out DIR --system TEXT

`--system` is what the chat template says where a request brings no system message. DIR must not exist; after a failure it
may be there in part. stdout stays empty; exit code 0 when the folder is complete.
"""

import argparse
import json
import os

import mlx.core as mx
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

GROUP = 32
CONTROL = 3  # type of a token that no text contains

# llama.cpp's names of modules, and Hugging Face's.
MODULES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}

TEMPLATE = (
    "{%- if messages[0]['role'] != 'system' %}{{- '<|im_start|>system\\n' + SYSTEM + '<|im_end|>\\n' }}{%- endif %}"
    "{%- for message in messages %}"
    "{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)


def named(key):
    """`blk.3.attn_q.weight` -> (`model.layers.3.self_attn.q_proj`, `weight`)"""
    *place, module, kind = key.split(".")
    name = MODULES[module]
    return (f"model.layers.{place[1]}.{name}" if place else name), kind


def in_order(rows, heads):
    """Undoes llama.cpp's order of the rows of a rotated projection."""
    half = rows.shape[0] // heads // 2
    return rows.reshape(heads, half, 2, -1).swapaxes(1, 2).reshape(rows.shape)


def convert(tensors, facts):
    heads = {"q_proj": facts["attention.head_count"], "k_proj": facts["attention.head_count_kv"]}
    weights, widths = {}, {}
    for key, tensor in tensors.items():
        name, kind = named(key)
        turned = heads.get(name.rsplit(".", 1)[-1])
        weights[f"{name}.{kind}"] = in_order(tensor, turned) if turned else tensor
    for name in [key.removesuffix(".scales") for key in weights if key.endswith(".scales")]:
        columns = weights[f"{name}.scales"].shape[1] * GROUP
        widths[name] = weights[f"{name}.weight"].shape[1] * 32 // columns
    return weights, widths


def facts_of(metadata):
    """What the file says of its model, by the names without the architecture's."""
    architecture = metadata["general.architecture"]
    if architecture != "llama":
        raise SystemExit(f"a model of the architecture {architecture} cannot be converted")
    own = {key.removeprefix("llama."): value for key, value in metadata.items() if key.startswith("llama.")}
    return {key: value.item() if isinstance(value, mx.array) else value for key, value in own.items()}


def config_of(facts, widths, tied, ids):
    usual = min(widths.values())
    other = {name: {"group_size": GROUP, "bits": bits} for name, bits in widths.items() if bits != usual}
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": facts["embedding_length"],
        "num_hidden_layers": facts["block_count"],
        "intermediate_size": facts["feed_forward_length"],
        "num_attention_heads": facts["attention.head_count"],
        "num_key_value_heads": facts["attention.head_count_kv"],
        "rms_norm_eps": facts["attention.layer_norm_rms_epsilon"],
        "rope_theta": facts["rope.freq_base"],
        "max_position_embeddings": facts["context_length"],
        "vocab_size": facts["vocab_size"],
        "tie_word_embeddings": tied,
        "torch_dtype": "float16",
        **ids,
        "quantization": {"group_size": GROUP, "bits": usual, **other},
    }


def tokenizer_of(metadata):
    """Digits stand alone, the rest is byte-level BPE: what llama.cpp calls `smollm`."""
    if metadata["tokenizer.ggml.pre"] != "smollm":
        raise SystemExit(f"a tokenizer of the kind {metadata['tokenizer.ggml.pre']} cannot be converted")
    tokens = metadata["tokenizer.ggml.tokens"]
    merges = [tuple(merge.split(" ")) for merge in metadata["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE({token: index for index, token in enumerate(tokens)}, merges))
    digits = pre_tokenizers.Digits(individual_digits=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    types = metadata["tokenizer.ggml.token_type"].tolist()
    control = [token for token, kind in zip(tokens, types) if kind == CONTROL]
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in control])
    return tokenizer, control


def write(folder, name, value):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        json.dump(value, file, indent=2, ensure_ascii=False)


def main():
    parser = argparse.ArgumentParser()
    for name in ("gguf", "out", "system"):
        parser.add_argument(f"--{name}", required=True)
    job = parser.parse_args()
    tensors, metadata = mx.load(job.gguf, return_metadata=True)
    facts = facts_of(metadata)
    weights, widths = convert(tensors, facts)
    tokenizer, control = tokenizer_of(metadata)
    words = {name: f"tokenizer.ggml.{name}_token_id" for name in ("bos", "eos", "unknown", "padding")}
    ids = {name: metadata[key].item() for name, key in words.items()}
    text = {name: metadata["tokenizer.ggml.tokens"][index] for name, index in ids.items()}
    specials = {"bos_token_id": ids["bos"], "eos_token_id": ids["eos"], "pad_token_id": ids["padding"]}

    os.makedirs(job.out)
    mx.save_safetensors(os.path.join(job.out, "model.safetensors"), weights, {"format": "mlx"})
    write(job.out, "config.json", config_of(facts, widths, "output.weight" not in tensors, specials))
    write(job.out, "generation_config.json", specials)
    tokenizer.save(os.path.join(job.out, "tokenizer.json"))
    write(job.out, "tokenizer_config.json", {
        "tokenizer_class": "GPT2Tokenizer",
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": facts["context_length"],
        "bos_token": text["bos"],
        "eos_token": text["eos"],
        "unk_token": text["unknown"],
        "pad_token": text["padding"],
        "additional_special_tokens": control,
        "chat_template": TEMPLATE.replace("SYSTEM", json.dumps(job.system)),
    })


if __name__ == "__main__":
    main()
