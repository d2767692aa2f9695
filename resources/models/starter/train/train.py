"""Trains the starter model from the seeds alone and writes its folder.

Everything is counted in steps and nothing depends on the clock, so the same seeds give the same weights on the same
kind of CPU.

    python train.py --out FOLDER            full training, about two minutes on two CPU cores
    python train.py --out FOLDER --stop 20  the first 20 steps of the same schedule
"""

import argparse
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jax

from batches import batches
from export import sha256, weights_file, write_json, write_model
from generator import CORPUS_SIZE, SEED, build_corpus, corpus_hash
from model import ModelConfig, Params, initial_params, parameter_count
from optimizer import Hyperparameters, initial_state, train_step
from tokenization import ChatEncoder, train_tokenizer

WEIGHTS_SEED = 1
BATCHES_SEED = 3
# After so many steps the hash of the weights is noted, so that a short run can be compared with a full one.
CHECKPOINT_STEP = 20
# A multiple of four, the rhythm in which the two kinds of batch take turns.
CURVE_EVERY = 28


@dataclass(frozen=True)
class Run:
    params: Params
    losses: list[float]
    checkpoint_sha256: str | None


def train(corpus: list, encoder: ChatEncoder, config: ModelConfig, hyper: Hyperparameters, stop: int) -> Run:
    """Runs the first `stop` steps of the schedule in `hyper`."""
    params = initial_params(config, WEIGHTS_SEED)
    state = initial_state(params)
    losses: list[jax.Array] = []
    checkpoint = None
    for step, batch in enumerate(batches(corpus, encoder, stop, BATCHES_SEED), start=1):
        params, state, loss = train_step(params, state, batch, config, hyper)
        losses.append(loss)
        if step == CHECKPOINT_STEP:
            checkpoint = sha256(weights_file(params))
        if step % CURVE_EVERY == 0:
            print(f"step {step} of {hyper.steps}, loss {mean(losses[-CURVE_EVERY:]):.4f}", flush=True)
    return Run(params, [float(loss) for loss in losses], checkpoint)


def mean(values: list) -> float:
    return sum(float(value) for value in values) / len(values)


def loss_curve(losses: list[float]) -> list[list[float]]:
    """`[step, mean loss of the last CURVE_EVERY steps]`: a mean, because batches of two kinds take turns."""
    steps = range(CURVE_EVERY, len(losses) + 1, CURVE_EVERY)
    return [[step, round(mean(losses[step - CURVE_EVERY : step]), 4)] for step in steps]


def report(run: Run, config: ModelConfig, hyper: Hyperparameters, data_hash: str) -> dict[str, Any]:
    return {
        "seeds": {"corpus": SEED, "weights": WEIGHTS_SEED, "batches": BATCHES_SEED},
        "steps": len(run.losses),
        "hyperparameters": asdict(hyper),
        "model": asdict(config),
        "parameters": parameter_count(run.params),
        "messages": CORPUS_SIZE,
        "corpusSha256": data_hash,
        "checkpoint": {"step": CHECKPOINT_STEP, "weightsSha256": run.checkpoint_sha256},
        "weightsSha256": sha256(weights_file(run.params)),
        "finalLoss": round(mean(run.losses[-CURVE_EVERY:]), 4),
        "lossCurve": loss_curve(run.losses),
        "trainedOn": {"machine": platform.machine(), "system": platform.system(), "jax": jax.__version__},
    }


def main() -> None:
    hyper = Hyperparameters()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder to write the model and training.json to")
    parser.add_argument("--stop", type=int, default=hyper.steps, help="end after this many steps")
    options = parser.parse_args()
    corpus = build_corpus()
    tokenizer = train_tokenizer(corpus)
    config = ModelConfig(vocabulary=tokenizer.get_vocab_size())
    run = train(corpus, ChatEncoder(tokenizer), config, hyper, min(options.stop, hyper.steps))
    write_model(options.out, run.params, config, tokenizer)
    write_json(options.out / "training.json", report(run, config, hyper, corpus_hash(corpus)))


if __name__ == "__main__":
    main()
