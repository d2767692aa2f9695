"""Extracts one file from a zip archive, in pieces, and no more bytes than were pinned.

    python unpack-member.py --archive FILE --member NAME --bytes N --to FILE

Exit code: 0 when the file is there with exactly so many bytes, 1 otherwise (stderr says why).
"""

import argparse
import sys
import zipfile

CHUNK = 1024 * 1024


def main():
    parser = argparse.ArgumentParser()
    for name in ("archive", "member", "to"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--bytes", type=int, required=True)
    want = parser.parse_args()
    total = 0
    with zipfile.ZipFile(want.archive) as archive, archive.open(want.member) as source, open(want.to, "wb") as file:
        while chunk := source.read(CHUNK):
            total += len(chunk)
            if total > want.bytes:
                break
            file.write(chunk)
    if total != want.bytes:
        sys.exit(f"{want.member} has not the {want.bytes} bytes that it should have")


if __name__ == "__main__":
    main()
