"""A region as people type it, chr20:1,001-1,200: 1-based, both ends belong to it."""

from __future__ import annotations

import re

from zoo.errors import ConfigError

_NUMBER = r"[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+"
_REGION = re.compile(rf"(?P<chrom>\S+):(?P<first>{_NUMBER})(?:-(?P<last>{_NUMBER}))?")


def parse_region(text: str) -> tuple[str, int, int]:
    """(chrom, start, end), 0-based half-open, of `chrom:first-last`, or of one base, `chrom:position`.

    The contig's name is all that stands before the last colon.  Numbers may have commas at the thousands.
    Raises ConfigError for any other text, for position 0, and where the first position is after the last.

    >>> parse_region("chr20:1,001-1,200"), parse_region("chr20:7")
    (('chr20', 1000, 1200), ('chr20', 6, 7))
    """
    match = _REGION.fullmatch(text.strip())
    if not match:
        raise ConfigError(f"region {_short(text)} does not read chrom:first-last, as in chr20:1,001-1,200")
    first = int(match["first"].replace(",", ""))
    last = int(match["last"].replace(",", "")) if match["last"] else first
    if first < 1:
        raise ConfigError(f"region {_short(text)}: positions count from 1: begin at 1 or later")
    if first > last:
        raise ConfigError(f"region {_short(text)}: the first position is after the last: swap them")
    return match["chrom"], first - 1, last


def format_region(chrom: str, start: int, end: int) -> str:
    """0-based half-open to what `parse_region` reads.

    >>> format_region("chr20", 1000, 1200), format_region("chr20", 6, 7)
    ('chr20:1,001-1,200', 'chr20:7')
    """
    return f"{chrom}:{start + 1:,}" + (f"-{end:,}" if end - start > 1 else "")


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
