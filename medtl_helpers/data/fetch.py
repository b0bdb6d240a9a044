"""Real data onto this disk: ``make data``, that is ``python -m medtl_helpers data [NAME ...]``."""

import threading
import time
from pathlib import Path
from urllib.parse import quote

import requests

from .. import assets
from ..console import say
from .bowl import pack_bowl
from .download import CONNECT_SECONDS, PLAIN, Fault, File, OutOfReach, no_connection, place

PACK = {"bowl": pack_bowl}  # what makes a file of what was fetched, by the card's word for it
MANY = 10  # files of one data set, above which they are told in one line
PROBE_SECONDS = 15  # for all servers together to give a first sign of life


def wanted(names: list[str] | None, sizes: tuple[int, ...], folder: Path) -> list[File]:
    """The files that names like ``"heart"`` or ``"pneumonia:64"`` stand for. Raises ValueError on an unknown one."""
    found: dict[str, File] = {}
    for asked in names or [name for name, card in assets.cards().items() if card["course"]]:
        name, _, only = asked.partition(":")
        about = assets.card(name)
        files = about.get("files", {})
        if "listing" in about:
            found |= {file.label: file for file in _listed(name, about, only, folder)}
        elif not files:
            say(f"{name}: nothing to fetch, it ships with scikit-learn.")
        elif only and only not in files:
            raise ValueError(f"{name} has no file {only!r}; it has {', '.join(files)}.")
        for key, entry in files.items():
            if key == only if only else not key.isdigit() or int(key) in sizes:
                label, path, pack = f"{name}:{key}", folder / entry["path"], PACK.get(entry.get("pack"))
                found[label] = File(label, entry["url"], path, entry["checksum"], entry.get("megabytes"), pack)
    return list(found.values())


def _listed(name: str, about: dict, only: str, folder: Path) -> list[File]:
    """The files of a card that has a listing; they are fetched together. Raises ValueError where one is asked for."""
    if only:
        raise ValueError(f"The files of {name} are fetched together: ask for {name}.")
    paths, address = assets.listing(about), about["address"]
    each = about["megabytes"] / len(paths)
    return [
        File(f"{name}:{inside}", address + quote(inside), folder / path, checksum, each)
        for path, checksum in paths.items()
        if (inside := path.removeprefix(about["folder"]))
    ]


def _together(files: list[File]) -> dict[str, list[File]]:
    """Files by what the user reads of them: one by one, or, of a data set of more than ``MANY`` files, as one line."""
    sets: dict[str, list[File]] = {}
    for file in files:
        sets.setdefault(file.label.partition(":")[0], []).append(file)
    lines: dict[str, list[File]] = {}
    for name, members in sets.items():
        lines |= {f"{name} ({len(members)} files)": members} if len(members) > MANY else {str(f): [f] for f in members}
    return lines


def _labels(files: list[File]) -> str:
    return ", ".join(them[0].label if len(them) == 1 else name for name, them in _together(files).items())


def ask_servers(files: list[File]) -> tuple[dict[str, int], dict[str, str]]:
    """Ask each server once, and about each unknown size: bytes by label, and hosts out of reach with the reason.

    All at once, in threads with one deadline: looking up a name on a dead network heeds no time limit of ours.
    """
    sizes, reasons = {}, {file.host: f"no answer in {PROBE_SECONDS} seconds" for file in files}

    def ask(file: File) -> None:
        try:
            answer = requests.head(file.url, headers=PLAIN, timeout=CONNECT_SECONDS, allow_redirects=True)
            if answer.ok and answer.headers.get("Content-Length", "").isdigit():
                sizes[file.label] = int(answer.headers["Content-Length"])
            reasons.pop(file.host, None)
        except requests.RequestException as error:
            reason = no_connection(error)
            if not reason:
                reasons.pop(file.host, None)  # it is there, though it answers badly
            elif file.host in reasons:
                reasons[file.host] = reason

    one_per_host = {file.host: file for file in files}.values()
    asked = [file for file in files if file.megabytes is None or file in one_per_host]
    threads = [threading.Thread(target=ask, args=[file], daemon=True) for file in asked]
    deadline = time.monotonic() + PROBE_SECONDS
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))
    return dict(sizes), dict(reasons)


def fetch(names: list[str] | None = None, sizes: tuple[int, ...] = (28,)) -> int:
    """Fetch the files that ``names`` stand for (default: all that the course uses) and print how it went.

    The exit status: 0 all are there, 1 some are not, 2 a name is unknown, 130 stopped by Ctrl-C.
    """
    files: list[File] = []
    try:
        folder = assets.data_folder()
        if folder is None:
            say("MEDTL_DATA=twin asks for no real data, so there is no folder to fetch into: unset it and try again.")
            return 1
        try:
            files = wanted(names, sizes, folder)
        except ValueError as error:
            say(str(error))
            return 2
        missing = [file for file in files if not file.is_there()]
        for name in _together([file for file in files if file not in missing]):
            say(f"{name}: already there, with the right checksum.")
        told, unreachable = ask_servers(missing)
        to_fetch = _together(missing)
        for name, members in to_fetch.items():
            known = [file.megabytes or told.get(file.label, 0) / 1e6 for file in members]
            size = f"{sum(known):.2f} MB" if all(known) else "size told by the server"
            say(f"{name}: {size}, into {members[0].path.parent}")
        for name, members in to_fetch.items():
            for file in members:
                try:
                    if file.host not in unreachable:
                        place(file)
                        missing.remove(file)
                except OutOfReach as fault:
                    unreachable[file.host] = str(fault)
                except Fault as fault:
                    say(f"{file}: {fault}")
                    if len(members) > 1:
                        say(f"{name}: {sum(one in missing for one in members)} of them are left for the next run.")
                    break
            if not set(members) & set(missing):
                say(f"{name}: fetched, with the right checksum.")
        advice = "check the network or the proxy, and run `make data` again; the course works without, on phantoms"
        for host, reason in unreachable.items():
            them = _labels([file for file in missing if file.host == host])
            say(f"Cannot connect to {host} for {them} ({reason}): {advice}.")
    except OSError as error:  # MEDTL_DATA names no folder, or a file in it cannot be read
        say(str(error))
        return 1
    except KeyboardInterrupt:
        parts = [f"{file}: {file.kept()}" for file in files if file.part.is_file()]
        say(f"\nStopped; {'; '.join(parts) or 'no unfinished file is left'}: run `make data` again to go on.")
        return 130
    if files:
        absent = f"; missing: {_labels(missing)} (phantoms stand in)" if missing else ""
        say(f"{len(files) - len(missing)} of {len(files)} files are in {folder}{absent}.")
    return 1 if missing else 0
