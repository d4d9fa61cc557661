"""`SpliceField`: scores by gene as the published tools write them to INFO, which filters of others parse.

rows of a record -> "A|ENSG00000125903|0.00|0.00|0.75|0.98|-11|-16|-11|-1", one an allele and gene, commas between
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from zoo_splice.variants.conventions import Convention

_FORMAT = "ALLELE|SYMBOL|DS_AG|DS_AL|DS_DG|DS_DL|DP_AG|DP_AL|DP_DG|DP_DL"
_SCORES, _PLACES = ("DS_AG", "DS_AL", "DS_DG", "DS_DL"), ("DP_AG", "DP_AL", "DP_DG", "DP_DL")


@dataclass(frozen=True)
class SpliceField:
    """A key of INFO.  Alleles without a score are left out of it; ZOO_status says why."""

    convention: Convention
    model: str
    distance: int
    mask: bool

    @property
    def key(self) -> str:
        """SpliceAI or CISpliceAI."""
        return self.convention.key

    @property
    def header(self) -> str:
        """The line of the header, without its end."""
        mask = "masked" if self.mask else "not masked"
        return (
            f'##INFO=<ID={self.key},Number=.,Type=String,Description="Scores of {self.model} by zoo score, '
            f"at most {self.distance} bp from the variant, {mask}: delta scores (DS) and delta positions (DP) for "
            f'acceptor gain (AG), acceptor loss (AL), donor gain (DG), and donor loss (DL). Format: {_FORMAT}">'
        )

    def text(self, rows: Iterable[Sequence[str]], columns: Sequence[str]) -> str:
        """The value of a record with these rows of the table; "" for none."""
        at = {name: columns.index(name) for name in ("alt", "status", "gene", *_SCORES, *_PLACES)}
        entries = []
        for row in rows:
            if row[at["status"]] == "ok":
                scores = (f"{float(row[at[name]]):.2f}" for name in _SCORES)
                places = (str(int(float(row[at[name]]))) for name in _PLACES)
                entries.append("|".join([row[at["alt"]], _plain(row[at["gene"]]), *scores, *places]))
        return ",".join(entries)


def _plain(name: str) -> str:
    """A gene's name as INFO may hold it between bars."""
    return "".join("_" if c in " ,;=|\t" else c for c in name)
