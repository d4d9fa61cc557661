"""`RecordFilter`: which records of a VCF or BCF are read, by FILTER and by whether a sample carries an ALT.

records with their lines -> RecordFilter -> records, of which a sample's carry the alleles that it has
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from zoo.errors import ConfigError, DataError, did_you_mean
from zoo.variants.variants import Record, Variants

if TYPE_CHECKING:
    from zoo.variants.files import VariantFile

_FILTER_ID = re.compile(r"##FILTER=<(?:.*,)?ID=([^,>]+)")
_FORMAT = 8


class RecordFilter:
    """What is read of a file; malformed records always are, so that they come out with their status.

    filters: names with commas between, one of which must stand in FILTER, as of `bcftools view -f`: PASS is PASS alone,
        and "." a record to which no filter was applied.
    carried_by: a sample, of whose genotype one allele at least must be an ALT; of several ALTs the others are left out.
        Its genotype stands in the notes.

    Raises ConfigError for a source without FILTER or samples, DataError for a sample that the file does not have.
    """

    def __init__(self, file: VariantFile, filters: str | None = None, carried_by: str | None = None):
        option = "--filter" if filters else f"--carried-by {carried_by}"
        if file.kind not in ("vcf", "bcf"):
            raise ConfigError(f"{option} reads a VCF or BCF, and {file.path} is none: leave it out")
        header = file.header_lines[-1].split("\t") if file.header_lines else []
        self.filters = {name for name in (filters or "").split(",") if name}
        if filters is not None:
            self._check_filters(file, filters)
        self.column: int | None = None
        if carried_by is not None:
            if carried_by not in header[9:]:
                advice = did_you_mean(carried_by, header[9:], f"bcftools query -l {file.path}")
                raise DataError(f"{file.path} has no sample {carried_by!r}{advice}")
            self.column = header.index(carried_by, 9)
        self._genotypes: dict[int, str] = {}
        chosen = [f"FILTER {filters}"] if filters else []
        self.description = ", ".join([*chosen, *([f"alleles that {carried_by} carries"] if carried_by else [])])

    def of(self, records: Iterator[tuple], tally: dict[str, int]) -> Iterator[Record]:
        """Those that are read; records: each with its line behind it; tally: "records" becomes the number of all."""
        for *site, text in records:
            tally["records"] = site[0] + 1
            record: Any = tuple(site)
            kept = record if record[7] else self._kept(record, text)
            if kept is not None:
                yield kept

    def note(self, variants: Variants) -> None:
        """Put the sample's genotype into the notes of the alleles that were read last."""
        for i, record in enumerate(variants.record.tolist()):
            if genotype := self._genotypes.get(record):
                variants.notes[i] = ";".join(filter(None, (variants.notes[i], f"genotype {genotype}")))
        self._genotypes.clear()

    def _kept(self, record: Record, text: str) -> Record | None:
        if self.filters and not self.filters & set(text.split("\t", 7)[6].split(";")):
            return None
        if self.column is None:
            return record
        cells = text.split("\t", self.column + 1)
        keys, values = cells[_FORMAT].split(":"), cells[self.column].split(":")
        at = keys.index("GT") if "GT" in keys else len(values)
        genotype = values[at] if at < len(values) else "."
        alleles = re.split(r"[/|]", genotype.lstrip("/|"))
        alts = record[6].split(",")
        if not all(a == "." or (a.isascii() and a.isdigit() and int(a[:9]) <= len(alts)) for a in alleles):
            return (*record[:7], f"line {record[1]}: genotype {genotype[:20]!r} names no allele of the record")
        carried = sorted({int(a) for a in alleles if a not in (".", "0")} - {0})
        if not carried or record[6] == ".":
            return None
        self._genotypes[record[0]] = genotype
        return (*record[:6], ",".join(alts[i - 1] for i in carried), "")

    def _check_filters(self, file: VariantFile, text: str) -> None:
        if not self.filters:
            raise ConfigError(f"--filter {text!r} names no filter: write PASS, or names with commas between")
        if file.layout.get("columns", 8) < 7:
            raise ConfigError(f"--filter reads column 7 of a VCF, and {file.path} has none: leave it out")
        known = {m[1] for line in file.header_lines if (m := _FILTER_ID.match(line))}
        unknown = sorted(self.filters - known - {"PASS", "."})
        if unknown:
            file.notes.append(
                f"no FILTER of the header is called {unknown[0]!r}: it knows {', '.join(sorted({'PASS', *known})[:8])}"
            )
