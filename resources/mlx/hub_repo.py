"""What a repository on the hub has, and what of it mlx-lm would load."""

import ast
import fnmatch
import importlib.util
import io
import json
import pathlib
import re

from huggingface_hub import HfApi, hf_hub_url
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers

# The files that mlx_lm.utils fetches, without *.py: no code of a model is run. Subfolders are never loaded.
PATTERNS = (
    "*.json",
    "model*.safetensors",
    "tokenizer.model",
    "*.tiktoken",
    "tiktoken.model",
    "*.txt",
    "*.jsonl",
    "*.jinja",
)
WEIGHTS = "model*.safetensors"
MAX_CONFIG_BYTES = 256 * 1024
ANSWER_S = 15


def read(name, token):
    """The repository's description at its main revision; one call."""
    return HfApi().model_info(name, files_metadata=True, timeout=ANSWER_S, token=token)


def wanted(repo):
    """The files to download: (name, bytes or None), the smallest first."""
    files = [(one.rfilename, one.size) for one in repo.siblings or []]
    kept = [(name, size) for name, size in files if is_wanted(name)]
    return sorted(kept, key=lambda file: (file[1] or 0, file[0]))


def is_wanted(name):
    if "/" in name or "\\" in name or name.startswith("."):
        return False
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in PATTERNS)


def facts(repo, token):
    """What a person and the scanner's rules need to judge the model before its download."""
    files = wanted(repo)
    config, refused = read_config(repo, token, dict(files).get("config.json"))
    weights = [size for name, size in files if fnmatch.fnmatchcase(name, WEIGHTS)]
    return {
        # Its name now: it may have been renamed, and the hub ignores letter case.
        "id": repo.id,
        "sizeBytes": total(size for _, size in files),
        "weightsBytes": total(weights),
        "hasWeights": len(weights) > 0,
        "hasConfig": any(name == "config.json" for name, _ in files),
        "licence": licence_of(repo),
        # It stays gated for an account that has consented, but is open to it.
        "gated": bool(repo.gated) and refused,
        "config": config,
        "architecture": architecture_of(config),
        "runs": None if config is None else has_architecture(config),
    }


def total(sizes):
    """The sum; None if a size is unknown."""
    sizes = list(sizes)
    return None if None in sizes else sum(sizes)


def licence_of(repo):
    card = repo.card_data or {}
    licence = card.get("license_name") or card.get("license")
    if isinstance(licence, list):
        licence = ", ".join(map(str, licence))
    tags = [tag[len("license:"):] for tag in repo.tags or [] if tag.startswith("license:")]
    return str(licence)[:100] if licence else (tags or [None])[0]


class Bounded(io.BytesIO):
    """A buffer that accepts no more than a configuration may have."""

    def write(self, part):
        if self.tell() + len(part) > MAX_CONFIG_BYTES:
            raise ValueError("config.json is too large")
        return super().write(part)


def read_config(repo, token, size):
    """config.json, or the few fields of it that the hub repeats where the file itself needs consent; None = neither.

    With it: did the hub refuse the file?
    """
    refused = False
    if any(one.rfilename == "config.json" for one in repo.siblings or []):
        try:
            url = hf_hub_url(repo.id, "config.json", revision=repo.sha)
            text = Bounded()
            http_get(url, text, headers=build_hf_headers(token=token), expected_size=size)
            # JavaScript's JSON has no NaN and no Infinity.
            config = json.loads(text.getvalue(), parse_constant=lambda _: None)
            return (config if isinstance(config, dict) else None), False
        except Exception as error:
            refused = is_forbidden(error)
            if not refused and not isinstance(error, ValueError):
                raise
    known = getattr(repo, "config", None)
    return (known if isinstance(known, dict) and "model_type" in known else None), refused


def is_forbidden(error):
    response = getattr(error, "response", None)
    return response is not None and response.status_code in (401, 403)


def architecture_of(config):
    kind = (config or {}).get("model_type")
    return kind[:100] if isinstance(kind, str) else None


def has_architecture(config):
    """Does the installed mlx_lm have a module for this model? None = cannot be said.

    Follows mlx_lm.utils._get_classes. Its tables are read from the source: an import would load MLX and transformers.
    """
    spec = importlib.util.find_spec("mlx_lm")
    kind = architecture_of(config)
    if spec is None or not spec.submodule_search_locations or kind is None:
        return None
    folder = pathlib.Path(spec.submodule_search_locations[0])
    tables = tables_in(folder / "utils.py")
    names = config.get("architectures") or []
    names = [names] if isinstance(names, str) else names
    by_name = tables.get("MODEL_ARCHITECTURE_REMAPPING", {})
    other = next((by_name[(kind, name)] for name in names if (kind, name) in by_name), None)
    module = other or tables.get("MODEL_REMAPPING", {}).get(kind, kind)
    if not re.fullmatch(r"[A-Za-z0-9_-]+", module):
        return False
    path = folder / "models" / f"{module}.py"
    # Some modules there are only parts of models.
    return path.is_file() and re.search(r"\bModelArgs\b", path.read_text(encoding="utf-8")) is not None


def tables_in(source):
    """The dictionaries of constants in a module, by name."""
    found = {}
    for node in ast.parse(source.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.Dict):
            try:
                found[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                pass
    return found
