"""Looks up models on the Hugging Face hub and downloads them into its standard cache, for a supervisor.

Run as `python hub.py` with one JSON object on stdin:
  do      lookup, download or discard (removes what an unfinished download has left; needs no network)
  repo    the repository, such as org/name
  token   for gated repositories; null = what the environment or `hf auth login` provides

Writes JSON lines to stdout; everything that the libraries print goes to stderr:
  {"type": "facts", ...}                                     see hub_repo.facts
  {"type": "progress", "step", "completed", "total"}         bytes; a line also shows that something advances
  {"type": "done"}
  {"type": "failed", "problem", "text", ...}                 see problem_of; never contains the token

Exit code 0 after `done` or `failed`. All addresses, proxies, certificates and folders come from the environment, as
huggingface_hub defines it. An interrupted download continues from its partial files at the next run.
"""

import errno
import json
import os
import re
import ssl
import sys
import time

MAX_REQUEST_BYTES = 64 * 1024
MAX_TEXT = 300
LINE_S = 0.2


class Report:
    """The JSON lines. Progress is written five times a second and after each percent, a new step at once."""

    def __init__(self, out):
        self.out = out
        # Tokens that no line may contain.
        self.secrets = []
        self.step, self.at, self.completed = None, 0.0, 0

    def write(self, line):
        self.out.write(json.dumps(line, allow_nan=False) + "\n")
        self.out.flush()

    def failed(self, error):
        problem, details = problem_of(error)
        self.write({"type": "failed", "problem": problem, "text": clean(str(error), self.secrets), **details})

    def progress(self, step, completed, total):
        now = time.monotonic()
        percent = (total or float("inf")) / 100
        if step == self.step and now - self.at < LINE_S and completed - self.completed < percent:
            return
        self.step, self.at, self.completed = step, now, completed
        self.write({"type": "progress", "step": step, "completed": completed, "total": total})


def causes(error):
    """The error and all that it was raised from."""
    seen = []
    while error is not None and error not in seen:
        seen.append(error)
        error = error.__cause__ or error.__context__
    return seen


def problem_of(error):
    """A machine word for why it failed, and facts.

    The HTTP library differs between versions of huggingface_hub, so its errors are known by the names of their classes.
    """
    chain = causes(error)
    names = {kind.__name__ for one in chain for kind in type(one).__mro__}
    # An SSLError is an OSError with numbers of its own.
    numbers = {one.errno for one in chain if isinstance(one, OSError) and not isinstance(one, ssl.SSLError)}
    text = " ".join(str(one) for one in chain)
    details = getattr(error, "details", {})
    if numbers & {errno.ENOSPC, errno.EDQUOT}:
        return "disk_full", details
    if numbers & {errno.EACCES, errno.EPERM, errno.EROFS}:
        return "no_permission", details
    if "Damaged" in names:
        return "damaged", details
    if "GatedRepoError" in names:
        return "gated", details
    if names & {"RepositoryNotFoundError", "RevisionNotFoundError", "HFValidationError"}:
        return "not_found", details
    status = next((one.response.status_code for one in chain if getattr(one, "response", None) is not None), None)
    if status is not None:
        return {401: "unauthorized", 403: "gated", 404: "not_found"}.get(status, "refused"), {"status": status}
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "certificate", details
    if "ConnectTimeout" not in names and any("Timeout" in name for name in names):
        return "stalled", details
    network = ("ConnectTimeout", "ConnectError", "ConnectionError", "ProxyError", "ProtocolError", "ReadError", "gaierror")
    if any(name.endswith(network) for name in names) or "Consistency check failed" in text:
        return "network", details
    return "other", details


def clean(text, secrets):
    """Without tokens, also as Python quotes them, and without the passwords and queries of addresses."""
    for secret in secrets:
        text = text.replace(secret, "***").replace(repr(secret)[1:-1], "***")
    return re.sub(r"(://)[^/@\s]+@|\?\S+", r"\1", text)[:MAX_TEXT]


def run(request, report):
    # Late: the environment must be complete, and a failing import is reported like any other failure.
    import huggingface_hub

    import hub_files
    import hub_repo

    if request["do"] == "discard":
        return hub_files.discard(request["repo"])
    token = request.get("token") or None
    report.secrets = [one for one in (token, huggingface_hub.get_token()) if one]
    repo = hub_repo.read(request["repo"], token)
    report.write({"type": "facts", **hub_repo.facts(repo, token)})
    if request["do"] == "download":
        hub_files.Download(repo, token, report).run()


def main():
    # Whatever a library prints must not appear between the lines.
    report = Report(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)
    try:
        run(json.loads(sys.stdin.buffer.read(MAX_REQUEST_BYTES)), report)
        report.write({"type": "done"})
    except Exception as error:
        report.failed(error)


if __name__ == "__main__":
    main()
