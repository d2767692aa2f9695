"""Fetches one pinned file of a Python package index, the way pip itself would find it.

pip knows where its index is (environment, configuration, its own default), which proxy and certificates to use and how to
read an index, so this script asks pip's own parts and runs with any Python (3.9 or newer) that has pip.

The bytes go to `<to>.part`; a later run continues there (HTTP Range). Only a file of exactly the pinned size and hash gets
its name. stdout is JSON lines: `{"event": "progress", "bytes", "total"}`, then `{"event": "done"}` or
`{"event": "failed", "code", "message"}`. Exit code: 0 when the file is there, 1 otherwise.

Codes: `index_unreachable`, `not_in_index`, `download_interrupted` (what is there stays for the next run), `wrong_file`
(it is removed), `not_writable`, `pip_unusable`.
"""

import argparse
import hashlib
import json
import logging
import os
import sys
import time

CHUNK = 64 * 1024
PROGRESS_SECONDS = 0.25
# Consecutive connections that may end without a single new byte.
FRUITLESS = 3
SECONDS_WITHOUT_BYTES = 60
parent = os.getppid()


class Failure(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def say(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


class Fetches(logging.Handler):
    """Collects why pip could not read an index page: pip only logs the reason."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.problems = []

    def emit(self, record):
        text = record.getMessage()
        if text.startswith("Could not fetch URL"):
            self.problems.append(text.removesuffix(" - skipping"))


def open_index():
    """pip's own session and finder, configured as for `pip install`."""
    try:
        from pip._internal.commands import create_command

        command = create_command("install")
        options, _ = command.parse_args([])
        options.cache_dir = None
        timeout, retries = min(options.timeout, SECONDS_WITHOUT_BYTES), min(options.retries, 2)
        session = command._build_session(options, retries=retries, timeout=timeout)
        finder = command._build_package_finder(options=options, session=session, ignore_requires_python=True)
        return session, finder
    except Exception as error:
        raise Failure("pip_unusable", f"This pip cannot be used: {error!r}") from error


def find_url(finder, package, name):
    collector = logging.getLogger("pip._internal.index.collector")
    fetches = Fetches()
    collector.setLevel(logging.DEBUG)
    collector.propagate = False
    collector.addHandler(fetches)
    candidates = finder.find_all_candidates(package)
    for candidate in candidates:
        if candidate.link.filename == name:
            return candidate.link.url_without_fragment
    unread = [text for text in fetches.problems if "404" not in text]
    if not candidates and unread:
        # The root cause is at the end of the output of pip and its libraries.
        reason = unread[0].rstrip("')\"").split(": ")[-1]
        raise Failure("index_unreachable", f"The package index cannot be read: {reason}")
    raise Failure("not_in_index", f"The package index has no {name}.")


def size_of(path):
    return os.path.getsize(path) if os.path.exists(path) else 0


def remove(path):
    if os.path.exists(path):
        os.remove(path)


def is_pinned(path, want):
    if size_of(path) != want.bytes:
        return False
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1024 * 1024):
            digest.update(chunk)
    return digest.hexdigest() == want.sha256


def start_at(response, offset):
    """Offset of the bytes in this response; a server without Range support sends the whole file."""
    if response.status_code != 206:
        return 0
    given = response.headers.get("Content-Range", "")
    return offset if given.startswith(f"bytes {offset}-") else None


def receive(session, url, part, want):
    """One connection: appends the bytes it receives. Returns when it ends, whether or not the file is complete."""
    offset = size_of(part)
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={offset}-"} if offset else {})}
    with session.get(url, headers=headers, stream=True) as response:
        if response.status_code == 416:
            remove(part)
            return
        if response.status_code not in (200, 206):
            raise Failure("not_in_index", f"The package index answered {response.status_code} for {want.file}.")
        begin = start_at(response, offset)
        if begin is None:
            return
        announced = begin + int(response.headers.get("Content-Length") or 0)
        if announced > want.bytes:
            raise Failure("wrong_file", f"{want.file} is larger than it should be: {announced} bytes.")
        write(response.raw, part, begin, want)


def write(source, part, begin, want):
    total, told = begin, 0.0
    with open(part, "r+b" if begin else "wb") as file:
        file.seek(begin)
        while chunk := source.read(CHUNK):
            total += len(chunk)
            if total > want.bytes:
                raise Failure("wrong_file", f"{want.file} is larger than it should be.")
            file.write(chunk)
            if time.monotonic() - told >= PROGRESS_SECONDS:
                told = time.monotonic()
                say("progress", bytes=total, total=want.bytes)
                if os.getppid() != parent:
                    sys.exit(1)  # the parent is gone, so nothing waits for the result
    say("progress", bytes=total, total=want.bytes)


def fetch(want):
    part = f"{want.to}.part"
    if is_pinned(want.to, want):
        return
    os.makedirs(os.path.dirname(want.to), mode=0o700, exist_ok=True)
    if size_of(part) > want.bytes:
        remove(part)
    if size_of(part) < want.bytes:
        download(part, want)
    if not is_pinned(part, want):
        remove(part)
        raise Failure("wrong_file", f"{want.file} has not the contents that it should have.")
    os.replace(part, want.to)


def download(part, want):
    session, finder = open_index()
    from pip._vendor.urllib3.exceptions import HTTPError

    url = find_url(finder, want.package, want.file)
    fruitless, reason = 0, "the connection ended early"
    while size_of(part) < want.bytes:
        before = size_of(part)
        try:
            receive(session, url, part, want)
        except Failure as failure:
            if failure.code == "wrong_file":
                remove(part)
            raise
        except (HTTPError, OSError) as error:
            # The libraries' errors are OSErrors without a number; one with a number comes from the disk.
            if getattr(error, "errno", None) is not None and not isinstance(error, (ConnectionError, TimeoutError)):
                raise
            reason = str(error)
        fruitless = 0 if size_of(part) > before else fruitless + 1
        if fruitless >= FRUITLESS:
            raise Failure("download_interrupted", f"The download of {want.file} stopped: {reason}")


def main():
    parser = argparse.ArgumentParser()
    for name in ("package", "file", "sha256", "to"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--bytes", type=int, required=True)
    want = parser.parse_args()
    try:
        fetch(want)
    except Failure as failure:
        say("failed", code=failure.code, message=str(failure))
        return 1
    except OSError as error:
        say("failed", code="not_writable", message=str(error))
        return 1
    say("done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
