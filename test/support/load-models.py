"""Loads each model folder on standard input (one JSON string a line) as mlx_lm.server does and reports what happened.

Run as `python load-models.py LAUNCHER`: the launcher's wrappers of the loader apply too. One line of JSON for each folder
on the original stdout: {"folder", "error"}; error = null when the model and its tokenizer were loaded. Before these, a
line lists the values of `model_type` that mlx-lm has code for, and those for which transformers has a tokenizer.
"""

import importlib.util
import json
import pathlib
import re
import sys

spec = importlib.util.spec_from_file_location("launcher", sys.argv[1])
launcher = importlib.util.module_from_spec(spec)
spec.loader.exec_module(launcher)

import mlx_lm.models  # noqa: E402
import mlx_lm.utils as utils  # noqa: E402
from transformers.models.auto.tokenization_auto import TOKENIZER_MAPPING_NAMES  # noqa: E402

MODEL = re.compile(r"^(class|from \S+ import) Model\b", re.MULTILINE)
modules = [path for folder in mlx_lm.models.__path__ for path in pathlib.Path(folder).glob("*.py")]
types = {path.stem for path in modules if MODEL.search(path.read_text())} | set(utils.MODEL_REMAPPING)
known = [name for name in types if TOKENIZER_MAPPING_NAMES.get(name)]
launcher.report.emit("types", types=sorted(types), tokenizers=sorted(known))
launcher.escape_folders(utils)
for line in sys.stdin:
    folder = json.loads(line)
    try:
        _, tokenizer = utils.load(folder, tokenizer_config={"trust_remote_code": False})
        # Without vocabulary files, some classes load an empty tokenizer.
        error = None if tokenizer.encode("hello") else "the tokenizer is empty"
    except Exception as failure:
        error = f"{type(failure).__name__}: {failure}"[:300]
    launcher.report.emit("load", folder=folder, error=error)
