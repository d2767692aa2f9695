"""Downloads the files of a repository into the hub's cache.

Since 2.0 huggingface_hub starts a file again from its first byte when it was interrupted. So the bytes are fetched here
with the hub's own client into `blobs/<etag>.incomplete`, and the finished blobs are linked by hf_hub_download. A
snapshot appears only when all blobs are there: no other program ever sees half a model.
"""

import errno
import hashlib
import json
import os
import pathlib
import re
import shutil

from huggingface_hub import constants, get_hf_file_metadata, hf_hub_download, hf_hub_url
from huggingface_hub.file_download import http_get, repo_folder_name
from huggingface_hub.utils import WeakFileLock, build_hf_headers

import hub_repo

# The hub reads 10 MB before it writes: on a slow line that looks like a stall, and a kill loses them.
constants.DOWNLOAD_CHUNK_SIZE = 64 * 1024
HASH_CHUNK_BYTES = 1024 * 1024
# Free space that a download leaves for everything else.
RESERVE_BYTES = 100 * 1000 * 1000
# In the repository's folder: what an unfinished download has created there.
NOTES = ".tandem-download"
ETAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
REVISION = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
SHA256 = re.compile(r"[0-9a-f]{64}")


class Damaged(Exception):
    pass


class NoSpace(OSError):
    def __init__(self, needed, free):
        super().__init__(errno.ENOSPC, "not enough free space")
        self.details = {"neededBytes": needed, "freeBytes": free}


def folder_of(repo):
    return pathlib.Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repo, repo_type="model")


class Counted:
    """A file that reports its length after each write; http_get rewinds it when a server cannot continue."""

    def __init__(self, file, on_length):
        self.file, self.on_length = file, on_length
        self.seek, self.tell, self.truncate = file.seek, file.tell, file.truncate

    def write(self, part):
        written = self.file.write(part)
        self.on_length(self.file.tell())
        return written


class Blob:
    def __init__(self, name, url, metadata, folder):
        if metadata.etag is None or not ETAG.fullmatch(metadata.etag):
            raise ValueError(f"the hub names no version of {name}")
        self.name, self.url, self.etag, self.size = name, url, metadata.etag, metadata.size
        self.path = folder / "blobs" / self.etag
        self.partial = self.path.with_name(f"{self.etag}.incomplete")
        self.lock = folder.parent / ".locks" / folder.name / f"{self.etag}.lock"

    def present(self):
        """Bytes on disk."""
        if self.is_whole():
            return self.path.stat().st_size
        return self.partial.stat().st_size if self.partial.is_file() else 0

    def is_whole(self):
        return self.path.is_file() and self.size in (None, self.path.stat().st_size)


class Download:
    def __init__(self, repo, token, report):
        self.repo, self.token, self.report = repo, token, report
        self.folder = folder_of(repo.id)
        self.before, self.total = 0, None

    def run(self):
        # It becomes a folder's name.
        if not REVISION.fullmatch(self.repo.sha or ""):
            raise ValueError("the hub names no revision")
        blobs = [self.blob(name) for name, _ in hub_repo.wanted(self.repo)]
        self.total = hub_repo.total(blob.size for blob in blobs)
        self.check_space(blobs)
        (self.folder / "blobs").mkdir(parents=True, exist_ok=True)
        notes = Notes(self.folder)
        notes.add(self.repo.sha, [blob.etag for blob in blobs if not blob.is_whole()])
        for blob in blobs:
            if not blob.is_whole():
                self.fetch(blob)
            self.before += blob.present()
        self.link(blobs)
        self.set_main()
        notes.finish([blob.etag for blob in blobs])

    def link(self, blobs):
        for blob in blobs:
            # Each is a call to the hub: a line shows that something advances.
            self.progress("linking", 0)
            hf_hub_download(self.repo.id, blob.name, revision=self.repo.sha, token=self.token)

    def progress(self, step, done):
        self.report.progress(step, self.before + done, self.total)

    def blob(self, name):
        self.progress("listing", 0)
        url = hf_hub_url(self.repo.id, name, revision=self.repo.sha)
        return Blob(name, url, get_hf_file_metadata(url, token=self.token, timeout=hub_repo.ANSWER_S), self.folder)

    def check_space(self, blobs):
        needed = sum(max(0, (blob.size or 0) - blob.present()) for blob in blobs)
        place = self.folder
        while not place.is_dir():
            place = place.parent
        free = shutil.disk_usage(place).free
        if needed > 0 and needed + RESERVE_BYTES > free:
            raise NoSpace(needed, free)

    def fetch(self, blob):
        blob.lock.parent.mkdir(parents=True, exist_ok=True)
        # The hub's own lock: older versions of it write the same partial file.
        with WeakFileLock(blob.lock):
            # Another program may have fetched it meanwhile.
            if blob.is_whole():
                return
            start = blob.present()
            if blob.size is not None and start > blob.size:
                start = 0
            with open(blob.partial, "r+b" if start else "wb") as file:
                file.seek(start)
                http_get(
                    blob.url,
                    Counted(file, lambda length: self.progress("downloading", length)),
                    resume_size=start,
                    headers=build_hf_headers(token=self.token),
                    expected_size=blob.size,
                )
                file.flush()
                os.fsync(file.fileno())
            self.verify(blob)
            os.replace(blob.partial, blob.path)

    def verify(self, blob):
        """Large files have their SHA-256 as version; the hub's client compares only sizes."""
        if not SHA256.fullmatch(blob.etag):
            return
        digest, length = hashlib.sha256(), blob.partial.stat().st_size
        with open(blob.partial, "rb") as file:
            while part := file.read(HASH_CHUNK_BYTES):
                digest.update(part)
                self.progress("verifying", length)
        if digest.hexdigest() != blob.etag:
            blob.partial.unlink()
            raise Damaged(f"{blob.name} arrived damaged")

    def set_main(self):
        """Last, so that an earlier revision stays in use until the new one is complete."""
        refs = self.folder / "refs"
        refs.mkdir(exist_ok=True)
        half = refs / "main.incomplete"
        half.write_text(self.repo.sha)
        os.replace(half, refs / "main")


class Notes:
    """What unfinished downloads have created, so that a cancelled one removes this and nothing else."""

    def __init__(self, folder):
        self.folder, self.path = folder, folder / NOTES
        try:
            noted = json.loads(self.path.read_text())
            self.blobs = [name for name in noted["blobs"] if ETAG.fullmatch(name)]
            self.snapshots = [name for name in noted["snapshots"] if REVISION.fullmatch(name)]
        except (OSError, ValueError, KeyError, TypeError):
            self.blobs, self.snapshots = [], []

    def add(self, revision, blobs):
        if not (self.folder / "snapshots" / revision).exists():
            self.snapshots = sorted({*self.snapshots, revision})
        self.blobs = sorted({*self.blobs, *blobs})
        half = self.path.with_name(f"{NOTES}.incomplete")
        half.write_text(json.dumps({"blobs": self.blobs, "snapshots": self.snapshots}))
        os.replace(half, self.path)

    def finish(self, used):
        """Removes what an earlier revision's unfinished download has left."""
        self.remove_blobs(set(self.blobs) - set(used))
        self.path.unlink(missing_ok=True)

    def discard(self):
        for name in self.snapshots:
            shutil.rmtree(self.folder / "snapshots" / name, ignore_errors=True)
        self.remove_blobs(self.blobs)
        self.path.unlink(missing_ok=True)

    def remove_blobs(self, names):
        linked = {os.path.basename(os.readlink(path)) for path in self.folder.glob("snapshots/**/*") if path.is_symlink()}
        for name in names:
            blob = self.folder / "blobs" / name
            blob.with_name(f"{name}.incomplete").unlink(missing_ok=True)
            if name not in linked:
                blob.unlink(missing_ok=True)


def discard(repo):
    folder = folder_of(repo)
    if not (folder / NOTES).is_file():
        return
    Notes(folder).discard()
    if not any(path.is_file() or path.is_symlink() for path in folder.glob("*/**/*")):
        shutil.rmtree(folder)
        shutil.rmtree(folder.parent / ".locks" / folder.name, ignore_errors=True)
