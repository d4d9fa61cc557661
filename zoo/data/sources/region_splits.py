"""Which split a ready-made sequence is in, by the place on the genome that its header says.

header chr10:100-200, splits {validation: [chr10], test: [chr8, chr9]} -> validation
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from zoo.composition.settings import settings_of
from zoo.data.aliases import find
from zoo.data.sequences import Sequences
from zoo.data.source import SPLITS
from zoo.data.splits import Fractions, Splits
from zoo.errors import ConfigError


def fractions_or_regions(splits: Mapping[str, Any] | None, test_is_posted: bool) -> Fractions | Splits:
    """`{validation: 0.1, test: 0.1}` or `{train, validation, test: [regions]}`; of one kind both.

    test_is_posted: the test split is a file, and no share or region is asked for.
    """
    values = {key: value for key, value in (splits or {}).items() if value is not None}
    regions = {key: value for key, value in values.items() if isinstance(value, str | list | tuple)}
    if not regions:
        return settings_of(Fractions, "data.splits", values)
    if test_is_posted and "test" in regions:
        raise ConfigError("data.splits.test names regions, and data.test_positives a test set: leave one of them out")
    for key, value in values.items():
        if key not in regions and not (test_is_posted and key == "test"):
            raise ConfigError(
                f"data.splits.{key}={value} is a share and the others are regions: name contigs for every split, "
                f"as in 'data.splits.{key}=[chr8]'"
            )
    return Splits.from_config(regions)


def split_by_region(sequences: Sequences, splits: Splits) -> tuple[np.ndarray, list[str]]:
    """(n,) int8 codes of SPLITS, -1 for a sequence that no split holds whole; and a sentence a contig without any.

    Contigs are named as in the headers or by an alias.  Raises ConfigError for a header without a place, and where
    a sequence is in two splits.
    """
    nowhere = np.flatnonzero(sequences.start < 0)
    if len(nowhere):
        row = nowhere[0]
        raise ConfigError(
            f"{len(nowhere):,} of {len(sequences):,} sequences have no place in their headers that fits their length, "
            f"such as {sequences.headers[row][:40]!r} (line {sequences.line[row]:,} of {sequences.path}): splits by "
            "region need chr1:100-200 in every header; set data.splits.validation and data.splits.test to shares"
        )
    codes, notes = np.full(len(sequences), -1, np.int8), []
    contigs = list(dict.fromkeys(sequences.chrom))
    named = np.zeros(len(sequences), bool)
    for code, split in enumerate(SPLITS):
        for region in splits.regions[split]:
            on_contig = sequences.chrom == find(region.contig, contigs)
            if not on_contig.any():
                notes.append(f"no sequence is on {region.contig!r}, which data.splits.{split} names")
            named |= on_contig
            inside = on_contig & (sequences.start >= region.start)
            if region.end is not None:
                inside &= sequences.end <= region.end
            if (inside & (codes >= 0) & (codes != code)).any():
                raise ConfigError(
                    f"region {region} of split {split} overlaps one of another split: give every base to one"
                )
            codes[inside] = code
    if splits.rest:
        codes[~named] = SPLITS.index("train")
    return codes, notes
