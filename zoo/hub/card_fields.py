"""Who made a model, which version it is, what it comes from, what to cite and whom to ask: fields of a card, checked.

{version, parent, changelog, authors, cite, support} -> check_card_fields -> the same, or ContractError in one sentence
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zoo.errors import ContractError

if TYPE_CHECKING:
    from zoo.spec import ModelSpec

FIELDS = ("version", "parent", "changelog", "authors", "cite", "support")
"""In the order in which a card shows them; one that is empty is not written into config.json."""

AUTHOR = ("name", "orcid", "affiliation")
PARENT = ("name", "source", "revision", "licence")
CHANGE = ("version", "changes")
_MOST = 1000
_LONGEST = 2000
_VERSION = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6}){1,3}([.-]?[A-Za-z0-9]{1,20}){0,2}")
_DOI = re.compile(r"10\.[0-9]{4,9}/[^\s\"<>\\^`{|}]{1,200}")
_SUPPORT = re.compile(r"(https://[^\s\"<>\\^`{|}]{1,500}|mailto:[^\s@\"<>\\]{1,100}@[^\s@\"<>\\]{1,100})")
_ORCID = re.compile(r"[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{3}[0-9X]")


def check_card_fields(card: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `card`, lists as tuples and the address taken off ORCIDs and DOIs.

    version: as in 1.0.0.  parent: {name, source, revision, licence} of the model that this one was made from.
    changelog: [{version, changes}], the newest first.  authors: [{name, orcid, affiliation}].  cite: DOIs.
    support: where questions go, https:// or mailto:.
    Raises ContractError for another field, and for a value that cannot be what its field says.
    """
    unknown = [key for key in card if key not in FIELDS]
    if unknown:
        raise ContractError(f"a card has no field {unknown[0]!r}: choose from {', '.join(FIELDS)}")
    checked: dict[str, Any] = {}
    if card.get("version"):
        checked["version"] = _version(card["version"])
    if card.get("parent"):
        checked["parent"] = _texts(card["parent"], PARENT, "parent")
    if card.get("changelog"):
        changes = [_texts(row, CHANGE, "changelog") for row in _rows(card["changelog"], "changelog")]
        checked["changelog"] = tuple({**row, "version": _version(row["version"])} for row in changes)
        _require_once([row["version"] for row in changes], "changelog")
    if card.get("authors"):
        checked["authors"] = tuple(_author(row) for row in _rows(card["authors"], "authors"))
    if card.get("cite"):
        checked["cite"] = tuple(_doi(text) for text in _rows(card["cite"], "cite"))
    if card.get("support"):
        checked["support"] = _matching(card["support"], _SUPPORT, "support", "https://... or mailto:...")
    return checked


def is_orcid(text: str) -> bool:
    """Whether four times four digits end in the check digit of ISO 7064 MOD 11-2, as ORCID defines it.

    >>> is_orcid("0000-0002-1825-0097"), is_orcid("0000-0002-1825-0079")
    (True, False)
    """
    if not _ORCID.fullmatch(text):
        return False
    digits, total = text.replace("-", ""), 0
    for digit in digits[:-1]:
        total = (total + int(digit)) * 2
    return digits[-1] == "0123456789X"[(12 - total % 11) % 11]


def parse_author(text: str) -> dict[str, str]:
    """An author as typed: a name, with an ORCID in angle brackets where there is one.

    >>> parse_author("Josiah Carberry <0000-0002-1825-0097>")
    {'name': 'Josiah Carberry', 'orcid': '0000-0002-1825-0097'}
    """
    name, bracket, rest = text.partition("<")
    return {"name": name.strip(), **({"orcid": rest.strip().removesuffix(">")} if bracket else {})}


def author_words(author: Mapping[str, str]) -> str:
    """A line of a card."""
    details = [author.get("affiliation"), f"https://orcid.org/{author['orcid']}" if author.get("orcid") else ""]
    more = ", ".join(text for text in details if text)
    return author["name"] + (f" ({more})" if more else "")


def card_words(spec: ModelSpec) -> dict[str, str]:
    """{field of zoo/hub/card_fields.py: what it says in a line}; "" for one that says nothing."""
    parent = spec.parent
    at = f"{parent.get('source', '')}@{parent.get('revision', '')[:12]}".strip("@")
    licence = f" (licence {parent['licence']})" if parent.get("licence") else ""
    newest = spec.changelog[0] if spec.changelog else {}
    words = {
        "version": spec.version,
        "parent": ", ".join(filter(None, (f"{parent['name']}{licence}", at))) if parent else "",
        "changelog": f"{newest['version']}: {newest.get('changes', '')}" if newest else "",
        "authors": "; ".join(author_words(author) for author in spec.authors),
        "cite": ", ".join(f"https://doi.org/{doi}" for doi in spec.cite),
        "support": spec.support,
    }
    return {key: text for key, text in words.items() if text}


def history(spec: ModelSpec) -> dict[str, str]:
    """The version, the model that this one was made from, and what each version changed."""
    words = {key: text for key, text in card_words(spec).items() if key in ("version", "parent")}
    return words | {f"changes of {row['version']}": row.get("changes") or "none stated" for row in spec.changelog}


def _author(row: Any) -> dict[str, str]:
    author = _texts(row, AUTHOR, "authors")
    if "orcid" in author:
        orcid = author["orcid"].removeprefix("https://orcid.org/")
        if not is_orcid(orcid):
            raise ContractError(
                f"ORCID {orcid[:40]!r} of {author['name'][:80]!r} is none, or has a wrong digit: copy it from "
                "orcid.org, as in 0000-0002-1825-0097"
            )
        author["orcid"] = orcid
    return author


def _doi(text: Any) -> str:
    plain = text.removeprefix("https://doi.org/").removeprefix("doi:") if isinstance(text, str) else text
    return _matching(plain, _DOI, "cite", "a DOI, as in 10.1371/journal.pone.0269159")


def _version(text: Any) -> str:
    return _matching(text, _VERSION, "version", "numbers with dots between, as in 1.0.0")


def _matching(text: Any, pattern: re.Pattern[str], field: str, example: str) -> str:
    if not isinstance(text, str) or not pattern.fullmatch(text):
        raise ContractError(f"{field} {str(text)[:80]!r} of a card is none: give {example}")
    return text


def _rows(value: Any, field: str) -> Sequence[Any]:
    if not isinstance(value, list | tuple) or len(value) > _MOST:
        raise ContractError(f"{field} of a card is no list of at most {_MOST:,} entries: give one")
    return value


def _texts(row: Any, keys: tuple[str, ...], field: str) -> dict[str, str]:
    """A mapping of some of the keys, of which the first is needed, to texts."""
    if (
        not isinstance(row, Mapping)
        or not row.get(keys[0])
        or set(row) - set(keys)
        or not all(isinstance(text, str) and len(text) <= _LONGEST for text in row.values())
    ):
        raise ContractError(f"{field} of a card holds {str(row)[:80]!r}: give texts {', '.join(keys)}")
    return {key: row[key] for key in keys if row.get(key)}


def _require_once(versions: Sequence[str], field: str) -> None:
    for version in versions:
        if versions.count(version) > 1:
            raise ContractError(f"{field} of a card names version {version} twice: keep one entry of it")
