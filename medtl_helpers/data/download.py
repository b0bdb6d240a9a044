"""One file from its server to its place: resumed, held against its checksum, and only then given its name.

A file arrives as ``<name>.part``, so nothing half-written ever has a final name. What came before a fault stays in the
``.part``; the next try goes on there.
"""

import errno
import itertools
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
from filelock import FileLock, Timeout
from tqdm import tqdm
from urllib3.exceptions import MaxRetryError

from ..assets import checksum_is_right
from ..console import say

CONNECT_SECONDS = 5  # for one address of a server to accept a connection
READ_SECONDS = 20  # for the next bytes to arrive; longer is a stall
ATTEMPTS = 3  # to get one file
WAIT_SECONDS = 2  # before the second attempt; twice as long before the third
CHUNK = 1 << 16  # bytes read at a time
PLAIN = {"Accept-Encoding": "identity"}  # not compressed: sizes and ranges then count the file's own bytes


class Fault(Exception):
    """Why a file could not be had, and what to do: the end of a sentence that begins with the file's name."""


class PassingFault(Fault):
    """A fault that another attempt may not meet."""


class OutOfReach(Fault):
    """No connection to the server at all, so its other files need not be tried; holds the reason."""


@dataclass(frozen=True)
class File:
    """One file to fetch; ``label`` is how it can be asked for, like ``"pneumonia:28"``."""

    label: str
    url: str
    path: Path
    checksum: str
    megabytes: float | None  # as the card says
    pack: Callable[[Path], None] | None = None  # makes the file, in place, of what was downloaded

    def __str__(self) -> str:
        return f"{self.label} ({self.path.name})"

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def part(self) -> Path:
        return self.path.with_name(self.path.name + ".part")

    def is_there(self) -> bool:
        return self.path.is_file() and checksum_is_right(self.path, self.checksum)

    def kept(self) -> str:
        size = self.part.stat().st_size if self.part.is_file() else 0
        return f"{size / 1e6:.2f} MB are kept in {self.part.name}" if size else "nothing of it is kept"


def no_connection(error: requests.RequestException) -> str:
    """Why no connection was made at all (name, refusal, proxy, certificate); "" where one was made and broke later."""
    failed = error.args[0] if error.args else None
    reason = failed.reason if isinstance(failed, MaxRetryError) else None
    return str(reason.args[-1]).rpartition("): ")[2] if reason else ""


def download(file: File) -> None:
    """One attempt to complete ``file.part``, going on from the bytes it already holds."""
    start = file.part.stat().st_size if file.part.is_file() else 0
    headers = PLAIN | ({"Range": f"bytes={start}-"} if start else {})
    with requests.get(file.url, headers=headers, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)) as answer:
        host, code = urlsplit(answer.url).netloc, answer.status_code
        right_range = answer.headers.get("Content-Range", "").startswith(f"bytes {start}-")
        if code == 416 or (code == 206 and not right_range):
            file.part.unlink(missing_ok=True)
            raise PassingFault(f"{host} cannot go on from byte {start}, so the kept part was deleted")
        if code == 429 or code >= 500:
            raise PassingFault(f"{host} answers {code} {answer.reason}")
        if code not in (200, 206):
            raise Fault(f"{host} answers {code} {answer.reason}: update this course, or report it if it is up to date.")
        chunks = answer.iter_content(CHUNK)
        first = next(chunks, b"")
        if code == 200:
            start = 0  # the whole file, asked for or not
        if "text/html" in answer.headers.get("Content-Type", "") or (start == 0 and first.lstrip()[:1] == b"<"):
            raise Fault(f"{host} sent a web page instead of the file: read it at {file.url} in a browser.")
        length = answer.headers.get("Content-Length", "")
        total = start + int(length) if length.isdigit() else None
        free = shutil.disk_usage(file.part.parent).free
        if total and total - start > free:
            raise OSError(errno.ENOSPC, f"it needs {(total - start) / 1e6:.2f} MB and {free / 1e6:.2f} MB are free")
        with (
            open(file.part, "ab" if start else "wb") as part,
            tqdm(desc=file.label, initial=start, total=total, unit="B", unit_scale=True, disable=None) as bar,
        ):
            for chunk in itertools.chain([first], chunks):
                part.write(chunk)
                bar.update(len(chunk))
            part.flush()
            os.fsync(part.fileno())  # on the disk before it is renamed, even if the power fails


def complete(file: File) -> None:
    """Bring ``file.part`` to the right checksum in a few attempts, then give it its final name. Raises Fault."""
    for attempt in range(1, ATTEMPTS + 1):
        resumed = file.part.is_file()
        try:
            if not (resumed and checksum_is_right(file.part, file.checksum)):
                download(file)
                if file.pack is not None:
                    file.pack(file.part)
            if checksum_is_right(file.part, file.checksum):
                os.replace(file.part, file.path)
                return
            file.part.unlink()
            what = f"what {file.host} sent has the wrong checksum, so {file.part.name} was deleted"
            if not resumed:
                raise Fault(f"{what}: run `make data` again, and report it if it stays wrong.")
        except PassingFault as fault:
            what = str(fault)
        except requests.RequestException as error:
            if reason := no_connection(error):
                raise OutOfReach(reason) from error
            stalled = isinstance(error, requests.Timeout) or "timed out" in str(error)
            happened = f"sent nothing for {READ_SECONDS} seconds" if stalled else f"broke off ({type(error).__name__})"
            what = f"{file.host} {happened}, {file.kept()}"
        if attempt < ATTEMPTS:
            say(f"{file}: {what}; trying again ({attempt + 1} of {ATTEMPTS}).")
            time.sleep(WAIT_SECONDS * attempt)
    raise Fault(f"{what}, at the last of {ATTEMPTS} attempts: run `make data` again later.")


def place(file: File) -> None:
    """Fetch one file to its place, after any other process that fetches into the same folder. Raises Fault."""
    try:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(file.path.parent / ".fetch.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            say(f"{file}: waiting for another process that fetches into {file.path.parent}.")
            lock.acquire()
        try:
            if not file.is_there():
                complete(file)
        finally:
            lock.release()
    except OSError as error:
        advice = "make room there" if error.errno == errno.ENOSPC else "make that folder writable"
        what = f"cannot write into {file.path.parent} ({error.strerror or error}), {file.kept()}"
        raise Fault(f"{what}: {advice}, or name another folder with MEDTL_DATA, and run `make data` again.") from error
