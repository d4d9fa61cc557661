"""Reading from a server that may be slow, cut the line, or send without end: so many bytes, at such a speed, no more.

url -> read_url -> bytes        url -> download -> a file of the size that the manifest says

The requests are the Hugging Face client's own (its session, proxies and errors); what it does not do is to stop.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

from zoo.errors import HubError
from zoo.hub.store import Unreachable

T = TypeVar("T")

SECONDS = 10.0
"""How long a server may take to begin an answer, and between two pieces of it."""
PATIENCE, LEAST_BYTES = 20.0, 20_000
"""So many bytes, or the end, must come in so many seconds."""
_ATTEMPTS, _IN_VAIN = 20, 3


@dataclass
class _Progress:
    received: int = 0
    stopped: bool = False


def read_url(url: str, headers: Mapping[str, str], most: int) -> tuple[bytes, Mapping[str, str]]:
    """The body and the headers of an answer.

    Raises HubError for more than `most` bytes, Unreachable for a server that is too slow, and the client's errors.
    """
    body = bytearray()

    def work(progress: _Progress) -> Mapping[str, str]:
        return _receive(url, headers, body.extend, most, progress)

    answered = _watched(work, url)
    return bytes(body), answered


def download(url: str, headers: Mapping[str, str], path: Path, size: int) -> None:
    """Bring a file of `size` bytes to `path`; a line that is cut is taken up again, now or by the next call.

    Raises HubError for another number of bytes, of which nothing is left, Unreachable for a server that is too slow,
    and the client's errors.
    """
    from huggingface_hub import errors as hf

    if path.is_file() and path.stat().st_size == size:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part, in_vain = path.with_name(f".{path.name}.part"), 0
    for attempt in range(_ATTEMPTS):
        before = part.stat().st_size if part.exists() else 0
        try:
            if before < size or not size:
                _watched(lambda progress: _append(url, headers, part, size, progress), url)
            break
        except hf.HfHubHTTPError:
            raise
        except hf.HTTPError:
            in_vain = 0 if part.exists() and part.stat().st_size > before else in_vain + 1
            if in_vain == _IN_VAIN or attempt == _ATTEMPTS - 1:
                raise
        except HubError as error:
            if not isinstance(error, Unreachable):
                part.unlink(missing_ok=True)
            raise
    if part.stat().st_size != size:
        sent = part.stat().st_size
        part.unlink()
        raise HubError(f"{url} has {sent:,} bytes instead of the {size:,} of its manifest: do not trust this model")
    os.replace(part, path)


def _append(url: str, headers: Mapping[str, str], part: Path, size: int, progress: _Progress) -> None:
    have = part.stat().st_size if part.exists() else 0
    more = {**headers, "Range": f"bytes={have}-"} if have else headers
    with open(part, "ab") as file:
        _receive(url, more, file.write, size, progress, have, lambda: file.truncate(0))


def _receive(
    url: str,
    headers: Mapping[str, str],
    take: Callable[[bytes], Any],
    most: int,
    progress: _Progress,
    have: int = 0,
    restart: Callable[[], Any] | None = None,
) -> Mapping[str, str]:
    """Hand on an answer piece by piece.

    have: bytes that came before; `restart` forgets them where the server begins anew.
    """
    from huggingface_hub.utils import get_session, hf_raise_for_status

    plain = {**headers, "Accept-Encoding": "identity"}
    with get_session().stream("GET", url, headers=plain, timeout=SECONDS, follow_redirects=True) as response:
        if response.status_code >= 400:
            # the client reads all of an error's body, which may have no end
            kept = {k: v for k, v in response.headers.items() if k.lower().startswith("x-")}
            hf_raise_for_status(type(response)(response.status_code, headers=kept, request=response.request))
        if have and response.status_code != 206:
            assert restart is not None
            restart()
            have = 0
        announced = response.headers.get("Content-Length", "")
        if announced.isdigit() and have + int(announced) > most:
            raise _too_large(url, most)
        for piece in response.iter_raw():
            if progress.stopped:
                break
            have += len(piece)
            if have > most:
                raise _too_large(url, most)
            take(piece)
            progress.received += len(piece)
        return response.headers


def _too_large(url: str, most: int) -> HubError:
    return HubError(f"{url} sends more than the {most:,} bytes that it may have: do not trust this model")


def _watched(work: Callable[[_Progress], T], url: str) -> T:
    """Do it beside, and leave it where too little comes: a time-out between two bytes stops no server that trickles."""
    progress, outcome = _Progress(), {}

    def run() -> None:
        try:
            outcome["value"] = work(progress)
        except BaseException as error:
            outcome["error"] = error

    thread = Thread(target=run, daemon=True, name="zoo-download")
    thread.start()
    try:
        while thread.is_alive():
            before = progress.received
            thread.join(PATIENCE)
            if thread.is_alive() and progress.received - before < LEAST_BYTES:
                raise Unreachable(
                    f"{url} is too slow: {progress.received - before:,} bytes came in {PATIENCE:g} s; try again later"
                )
    finally:
        progress.stopped = True
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]
