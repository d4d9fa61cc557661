"""`data=splice_sites`: which bases of genes are acceptors and donors, from an annotation and a genome.

gene table, GTF or GFF3 + genome + splits by region -> windows as the transcripts read
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zoo.composition.settings import settings_of
from zoo.data.aliases import find
from zoo.data.genome import Genome
from zoo.data.leakage_audit import audit_source
from zoo.data.splits import Splits
from zoo.errors import ConfigError
from zoo.evaluation.baselines import Baseline
from zoo.files.compressed import file_identity, resolve_paths
from zoo_splice.gene_table import read_genes
from zoo_splice.maxent.maxentscan import maxent_baselines
from zoo_splice.splice_source import SpliceSource, SpliceWindows


class SpliceSites(SpliceSource):
    """Acceptor (first base of an exon after an intron) and donor (last base of one before an intron) of every base.

    root: folder that relative paths are in.
    genes: a table NAME CHROM STRAND TX_START TX_END EXON_START EXON_END, GTF or GFF3, plain or gzip.
    genome: {name, fasta}, given by the configuration's `genome`; contigs may be called 20 here and chr20 there.
    windows: settings, see `SpliceWindows`.
    splits: {train, validation, test: [regions]}, 0-based half-open.  Paralogues of training genes may lie in the test.
    licence: of the annotation.
    seed: of the training blocks without a site that are kept.

    Windows are read on demand, so that a whole genome needs no more memory than its annotation.
    Raises ConfigError for what is missing, GenomeMismatch where introns do not begin and end as introns do.
    """

    def __init__(
        self,
        *,
        root: str | None = None,
        genes: str | None = None,
        genome: Mapping[str, Any] | None = None,
        windows: SpliceWindows | Mapping[str, Any] | None = None,
        splits: Mapping[str, Sequence[str]] | None = None,
        licence: str = "",
        seed: int = 0,
    ):
        if not genes:
            raise ConfigError("data=splice_sites needs an annotation: set data.genes=/path/to/genes.gtf.gz")
        self._file, self.licence = resolve_paths(root, genes)[0], licence
        reader, self.splits = Genome.from_config(genome), Splits.from_config(splits)
        table = read_genes(self._file)
        ids = {name: find(name, reader.contigs) for name in dict.fromkeys(table.chrom)}
        known = {name: int(reader.contig_ids([contig])[0]) for name, contig in ids.items() if contig}
        contig = np.array([known.get(name, -1) for name in table.chrom], np.int64)
        if len(contig) and (contig < 0).all():
            reader.resolve(str(table.chrom[0]))
        settings = settings_of(SpliceWindows, "data.windows", windows)
        super().__init__(table, contig, reader, reader.contigs, self.splits.of(reader), settings, seed)
        self._genome = reader

    def baselines(self, target: str) -> list[Baseline]:
        """Those of every source of splice sites, and MaxEntScan where its tables are installed."""
        learnt = super().baselines(target)
        return [*learnt, *maxent_baselines()] if learnt else []

    def describe(self) -> dict[str, Any]:
        """Files, genome, splits with n, what was left out, the leakage audit."""
        return {
            "source": "splice_sites",
            "files": [file_identity(self._file)],
            "notes": list(self.notes),
            "licence": self.licence,
            "genome": self._genome.identity(),
            "aliases": dict(self._genome.aliases),
            "length": self.input_length,
            "windows": vars(self.windows),
            "splits": self.splits.describe(),
            "n": self.numbers(),
            "dropped": {k: v for k, v in self.dropped.items() if v},
            "audit": audit_source(self),
        }
