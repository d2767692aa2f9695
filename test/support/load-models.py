"""Loads each model folder on standard input (one JSON string a line) as mlx_lm.server does and reports what happened.

Run as `python load-models.py LAUNCHER`: the launcher's wrappers of the loader apply too. One line of JSON for each folder
on the original stdout: {"folder", "error"}; error = null when the model and its tokenizer were loaded.
"""

import importlib.util
import json
import sys

spec = importlib.util.spec_from_file_location("launcher", sys.argv[1])
launcher = importlib.util.module_from_spec(spec)
spec.loader.exec_module(launcher)

import mlx_lm.utils as utils  # noqa: E402

if hasattr(launcher, "escape_folders"):
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
