"""Models on a Hugging Face endpoint: HF_ENDPOINT, else huggingface.co; tokens as `hf auth login` leaves them.

The client does not compare what it downloads with its sha256, so our manifest does.  A revision is a commit.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from zoo.errors import HubError, need
from zoo.hub import manifest
from zoo.hub.sources import ModelSource
from zoo.hub.store import NotThere, Store, Unreachable

_OFFICIAL = "https://huggingface.co"
_SECONDS = 5.0
"""How long a server may take to begin an answer."""


class HuggingFace(Store):
    """hf://org/name."""

    remote = True

    def resolve(self, source: ModelSource) -> str:
        """The commit that a branch, tag or commit means."""
        with _client(source) as api:
            return api.model_info(_repository(source), revision=source.revision or "main", timeout=_SECONDS).sha

    def fetch(self, source: ModelSource, revision: str, folder: Path) -> None:
        """Download what the manifest of that commit lists, and nothing else of the repository.

        Files that an earlier, cut download completed are kept; a connection that breaks is taken up again.
        """
        from huggingface_hub.errors import EntryNotFoundError

        with _client(source.at(revision)) as api:
            arguments = {"revision": revision, "local_dir": folder, "etag_timeout": _SECONDS}
            try:
                api.hf_hub_download(_repository(source), manifest.MANIFEST, **arguments)
                for entry in manifest.read(folder):
                    api.hf_hub_download(_repository(source), entry.path, **arguments)
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
        from huggingface_hub.utils import get_session

        with _client(ModelSource("hf", place, "any")) as api:
            # the client tries listings again for half a minute; one question shows whether anybody answers
            get_session().head(api.endpoint, timeout=_SECONDS)
            return sorted(model.id.split("/")[-1] for model in api.list_models(author=place))


def _repository(source: ModelSource) -> str:
    return f"{source.place}/{source.name}"


@contextmanager
def _client(source: ModelSource, writing: bool = False) -> Iterator:
    """The client for this endpoint; its errors become ours, in one sentence."""
    need(str(source), "huggingface_hub")
    from huggingface_hub import HfApi, constants
    from huggingface_hub import errors as hf

    endpoint = (os.environ.get("HF_ENDPOINT") or _OFFICIAL).rstrip("/")
    xet = constants.HF_HUB_DISABLE_XET
    # other servers have no xet, and the client does not fall back without it
    constants.HF_HUB_DISABLE_XET = xet or urlsplit(endpoint).hostname != urlsplit(_OFFICIAL).hostname
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
