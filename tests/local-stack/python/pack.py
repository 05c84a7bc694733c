"""Packs a function's binary as Lambda wants it: `pack.py <binary> <zip>` makes a zip with `bootstrap`, always the same bytes.

`PACK_LEVEL` 1 to 9 compresses it; without it the binary is stored as it is, which is quick and good enough for a local AWS.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile


def stripped(binary: pathlib.Path, directory: str) -> pathlib.Path:
    """The binary without debug information, where the machine can strip one; it only makes the zip smaller."""
    strip = shutil.which("strip")
    copy = pathlib.Path(directory, "bootstrap")
    done = strip and subprocess.run([strip, "-o", copy, binary], check=False, stderr=subprocess.DEVNULL).returncode == 0
    return copy if done else binary


def pack(binary: pathlib.Path, target: pathlib.Path) -> None:
    """Writes the zip beside its place and moves it there, so that nobody sees half of one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o755 << 16
    with tempfile.TemporaryDirectory() as directory, tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
        # An entry of one's own is stored as it is unless told otherwise.
        level = int(os.environ.get("PACK_LEVEL", "0"))
        method = zipfile.ZIP_DEFLATED if level else zipfile.ZIP_STORED
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(entry, stripped(binary, directory).read_bytes(), method, level or None)
    os.chmod(file.name, 0o644)
    os.replace(file.name, target)


if __name__ == "__main__":
    pack(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
