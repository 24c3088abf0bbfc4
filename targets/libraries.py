# SPDX-License-Identifier: Apache-2.0
"""Sources of the two libraries that the loader needs, for machines whose Debian packages are not installed here.

Debian's cross compilers come with a C library alone. protobuf-c's runtime is one file and zlib's inflate six, so they
are compiled with the rest. `apt-get source` fetches them with lists and caches of its own: the system's stay as they
are.
"""

import contextlib
import subprocess
import tarfile
import tempfile
from pathlib import Path

import emulate

FOLDER = emulate.BUILD / "sources"
PACKAGES = ("protobuf-c", "zlib")
MIRROR = "http://deb.debian.org/debian bookworm main"
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
INFLATE = ("adler32", "crc32", "inffast", "inflate", "inftrees", "zutil")


def fetch():
    emulate.tool("apt-get", "libraries", "apt")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        download(Path(folder))
        for package in PACKAGES:
            archive = next(Path(folder, "archives").glob(f"{package}_*.orig.tar.*"))
            with tarfile.open(archive) as tar:
                tar.extractall(Path(folder, package))
            (unpacked,) = Path(folder, package).iterdir()
            with contextlib.suppress(OSError):  # another process was faster
                unpacked.rename(FOLDER / package)


def download(lists):
    for folder in ("lists/partial", "cache/archives/partial", "archives"):
        (lists / folder).mkdir(parents=True, exist_ok=True)
    (lists / "sources.list").write_text(f"deb-src [signed-by={KEYS}] {MIRROR}\n")
    apt = ["apt-get", "-qq", "-o", f"Dir::Etc::sourcelist={lists / 'sources.list'}",
           "-o", "Dir::Etc::sourceparts=/dev/null", "-o", f"Dir::State::lists={lists / 'lists'}",
           "-o", f"Dir::Cache={lists / 'cache'}", "-o", "APT::Sandbox::User=root"]
    for command in (["update"], ["source", "--download-only", *PACKAGES]):
        done = subprocess.run(apt + command, cwd=lists / "archives", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise emulate.Skip(f"the sources of {' and '.join(PACKAGES)} cannot be fetched:\n{done.stdout.decode()}")


def sources():
    """Files to compile, and flags for all that includes their headers."""
    if not all((FOLDER / package).exists() for package in PACKAGES):
        fetch()
    protobuf, zlib = FOLDER / "protobuf-c", FOLDER / "zlib"
    files = [protobuf / "protobuf-c" / "protobuf-c.c", *(zlib / f"{name}.c" for name in INFLATE)]
    return files, [f"-I{protobuf}", f"-I{zlib}"]
