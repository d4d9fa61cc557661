"""Models on a Hugging Face endpoint: HF_ENDPOINT, else huggingface.co; tokens as `hf auth login` leaves them.

The client does not compare what it downloads with its sha256, so our manifest does.  A revision is a commit.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from zoo.errors import HubError, need
from zoo.files.strict_json import parse_json
from zoo.hub import manifest
from zoo.hub.download import download, read_url
from zoo.hub.sources import NAME, ModelSource
from zoo.hub.store import NotThere, Store, Unreachable

_OFFICIAL = "https://huggingface.co"
_SECONDS = 5.0
_MOST_LISTED = 1 << 24
_MOST_PAGES = 20


class HuggingFace(Store):
    """hf://org/name."""

    remote = True

    def resolve(self, source: ModelSource) -> str:
        """The commit that a branch, tag or commit means."""
        with _client(source) as api:
            revision = quote(source.revision or "main", safe="")
            url = f"{api.endpoint}/api/models/{_repository(source)}/revision/{revision}"
            answer, _ = _answer(url, api)
            if not isinstance(answer, dict) or not isinstance(answer.get("sha"), str):
                raise HubError(f"{url} names no commit: is HF_ENDPOINT a Hugging Face server?")
            return answer["sha"]

    def fetch(self, source: ModelSource, revision: str, folder: Path) -> None:
        """Download what the manifest of that commit lists, and nothing else of the repository.

        Files that an earlier, cut download completed are kept; a connection that breaks is taken up again.  No more
        bytes are read than the manifest says, and of the manifest no more than one may have.
        """
        from huggingface_hub.errors import EntryNotFoundError

        with _client(source.at(revision)) as api:
            at = f"{api.endpoint}/{_repository(source)}/resolve/{quote(revision, safe='')}"
            try:
                if not (folder / manifest.MANIFEST).is_file():
                    raw, _ = read_url(f"{at}/{manifest.MANIFEST}", _headers(api), manifest.MAX_BYTES)
                    manifest.parse(raw, str(source.at(revision)))
                    (folder / manifest.MANIFEST).write_bytes(raw)
                for entry in manifest.read(folder):
                    download(f"{at}/{entry.path}", _headers(api), folder / entry.path, entry.size)
            except EntryNotFoundError as error:
                raise NotThere(
                    f"{source.at(revision)} is no model of the zoo, since a file is missing there "
                    f"({_first_line(error)}): publish it with `zoo publish`"
                ) from error

    def publish(self, source: ModelSource, folder: Path, private: bool = False) -> str:
        """Create the repository if it is new, and put the whole folder there as one commit."""
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        repository = _repository(source)
        with _client(source, writing=True) as api:
            api.create_repo(repository, private=private or None, exist_ok=True)
            parent = api.model_info(repository, timeout=_SECONDS)
            paths = [manifest.MANIFEST, *(entry.path for entry in manifest.read(folder))]
            there = [file.rfilename for file in parent.siblings or ()]
            gone = [path for path in there if path not in paths and not path.startswith(".")]
            commit = api.create_commit(
                repository,
                [CommitOperationAdd(path_in_repo=p, path_or_fileobj=folder / p) for p in paths]
                + [CommitOperationDelete(path_in_repo=p) for p in gone],
                commit_message=f"Publish {source.name} {manifest.revision_of(folder)[:12]}",
                parent_commit=parent.sha,
            )
            return commit.oid

    def names(self, place: str) -> list[str]:
        """Names of an organisation's models."""
        with _client(ModelSource("hf", place, "any")) as api:
            names: list[str] = []
            url: str | None = f"{api.endpoint}/api/models?author={quote(place, safe='')}"
            for _ in range(_MOST_PAGES):
                listed, url = _answer(url, api)
                ids = [m.get("id") for m in listed if isinstance(m, dict)] if isinstance(listed, list) else []
                names += [i.split("/")[-1] for i in ids if isinstance(i, str)]
                if url is None:
                    break
            return sorted({name for name in names if NAME.fullmatch(name)})


def _repository(source: ModelSource) -> str:
    return f"{source.place}/{source.name}"


def _headers(api: Any) -> dict[str, str]:
    from huggingface_hub.utils import build_hf_headers

    return build_hf_headers(token=api.token, library_name="zoo")


def _answer(url: str, api: Any) -> tuple[Any, str | None]:
    """What the server says as JSON, and the address of the next page, if it has one."""
    raw, headers = read_url(url, _headers(api), _MOST_LISTED)
    following = re.search(r'<([^>]+)>;\s*rel="next"', headers.get("Link", ""))
    following = following[1] if following and following[1].startswith(f"{api.endpoint}/") else None
    try:
        return parse_json(raw), following
    except ValueError as error:
        raise HubError(f"{url} does not answer in JSON ({error}): is HF_ENDPOINT a Hugging Face server?") from error


@contextmanager
def _client(source: ModelSource, writing: bool = False) -> Iterator:
    """The client for this endpoint; its errors become ours, in one sentence."""
    need(str(source), "huggingface_hub")
    from huggingface_hub import HfApi, constants
    from huggingface_hub import errors as hf
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    endpoint = (os.environ.get("HF_ENDPOINT") or _OFFICIAL).rstrip("/")
    xet = constants.HF_HUB_DISABLE_XET
    # other servers have no xet, and the client does not fall back without it
    constants.HF_HUB_DISABLE_XET = xet or urlsplit(endpoint).hostname != urlsplit(_OFFICIAL).hostname
    # the client's bars move the cursor, which nothing but our own bar may
    bars = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield HfApi(endpoint=endpoint, token=os.environ.get("HF_TOKEN") or None, library_name="zoo")
    except hf.GatedRepoError as error:
        raise HubError(
            f"{source} is given out on request: ask for access at {endpoint}/{_repository(source)}"
        ) from error
    except hf.RepositoryNotFoundError as error:
        raise NotThere(
            f"{endpoint} has no {source.at(None)}, or it is private: check the name, or run `hf auth login`"
        ) from error
    except hf.RevisionNotFoundError as error:
        raise NotThere(
            f"{source.at(None)} has no revision {source.revision!r}: see {endpoint}/{_repository(source)}"
        ) from error
    except hf.HfHubHTTPError as error:
        raise _refused(source, endpoint, error, writing) from error
    except (hf.LocalEntryNotFoundError, hf.OfflineModeIsEnabled, hf.HTTPError) as error:
        raise Unreachable(
            f"{endpoint} does not answer ({_first_line(error)}): try again later, or set ZOO_OFFLINE=1 to use "
            "what is cached"
        ) from error
    except hf.HFValidationError as error:
        raise HubError(f"{source} is no repository's name: {_first_line(error)}") from error
    except RuntimeError as error:
        # the client wraps what went wrong with one file of an upload
        if isinstance(error.__cause__, hf.HfHubHTTPError):
            raise _refused(source, endpoint, error.__cause__, writing) from error
        raise Unreachable(
            f"the upload of {source} was cut ({_first_line(error)}): nothing was changed, run it again"
        ) from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise Unreachable(f"the download of {source} was cut ({_first_line(error)}): run it again") from error
    finally:
        constants.HF_HUB_DISABLE_XET = xet
        if bars:
            enable_progress_bars()


def _refused(source: ModelSource, endpoint: str, error: Exception, writing: bool) -> HubError:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        what = "writing to" if writing else "reading"
        return HubError(
            f"{endpoint} refuses {what} {source}: run `hf auth login` with a token that may, or set HF_TOKEN"
        )
    if status == 412:
        return HubError(f"somebody else published {source} at the same moment: publish again")
    if status is not None and status >= 500:
        return Unreachable(f"{endpoint} answers {status}: try again later, or set ZOO_OFFLINE=1 to use what is cached")
    return HubError(f"{endpoint} refuses {source}: {_first_line(error)}")


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__).rstrip(".")
