"""Answers messages with a model folder and counts the right ones.

    python evaluate.py FOLDER --held-out            right replies on held_out.json, by language
    python evaluate.py FOLDER --prompts FILE        a JSON array with the answer to every {"text"} of FILE
"""

import argparse
import json
import sys
from pathlib import Path

import jax.numpy as jnp
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from generator import HELD_OUT_FILE
from greedy import greedy_replies
from model import ModelConfig
from replies import LANGUAGES, REPLIES
from tokenization import ChatEncoder


def answers(folder: Path, texts: list[str]) -> list[str | None]:
    params = {name: jnp.asarray(array, jnp.float32) for name, array in load_file(folder / "model.safetensors").items()}
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return greedy_replies(params, ModelConfig(vocabulary=tokenizer.get_vocab_size()), ChatEncoder(tokenizer), texts)


def held_out_report(folder: Path) -> dict[str, object]:
    """Counts by language, how many answers were a fixed reply at all, and every miss."""
    rows = [(lang, *row) for lang, rows in json.loads(HELD_OUT_FILE.read_text(encoding="utf-8")).items() for row in rows]
    given = answers(folder, [text for _, _, text in rows])
    kinds = {reply: f"{lang}/{kind}" for lang in LANGUAGES for kind, reply in REPLIES[lang].items()}
    judged = [(lang, f"{lang}/{kind}", kinds.get(answer), text) for (lang, kind, text), answer in zip(rows, given)]
    return {
        "right": {lang: sum(want == got for row, want, got, _ in judged if row == lang) for lang in LANGUAGES},
        "of": {lang: sum(row == lang for row, *_ in judged) for lang in LANGUAGES},
        "fixedReplies": sum(got is not None for _, _, got, _ in judged),
        "misses": [{"text": text, "wanted": want, "got": got} for _, want, got, text in judged if want != got],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--held-out", action="store_true")
    choice.add_argument("--prompts", type=Path)
    options = parser.parse_args()
    sys.stdout.reconfigure(encoding="utf-8")
    if options.held_out:
        print(json.dumps(held_out_report(options.folder), ensure_ascii=False, indent=2))
    else:
        texts = [row["text"] for row in json.loads(options.prompts.read_text(encoding="utf-8"))]
        print(json.dumps(answers(options.folder, texts), ensure_ascii=False))


if __name__ == "__main__":
    main()
