"""What every source of splice sites shares: splits of loci, what training sees of them, baselines learnt from sites.

Genes + genome -> loci -> blocks by split -> SpliceExamples; sites of training -> baselines of every base
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from zoo.data.source import SPLITS, Source
from zoo.errors import ConfigError, DataError, GenomeMismatch, did_you_mean
from zoo.evaluation.baselines import Baseline
from zoo.fields import Field
from zoo_splice.gene_table import SITES, Genes
from zoo_splice.loci import Blocks, place_loci
from zoo_splice.site_models import SiteModel, site_windows
from zoo_splice.splice_examples import TARGET, SpliceExamples, Windows

_AT_ONCE = 512
_MOST_BLOCKS = 20_000
_LEAST_CONSENSUS = 0.5

Regions = Mapping[str, Sequence[tuple[int, int, int]]]


@dataclass(frozen=True, kw_only=True)
class SpliceWindows:
    """How genes are cut into windows.

    block: bp whose every base is predicted.
    context: bp that a model sees beside them, half on either side; they have no labels.  The experiment crops them from
        the prediction.
    without_sites: share of the training blocks without any splice site that is trained on; blocks with a site always
        are, validation and test keep all.
    """

    block: int = 1_000
    context: int = 400
    without_sites: float = 0.2

    def __post_init__(self) -> None:
        if self.block < 1 or self.context < 0 or self.context % 2:
            raise ConfigError(
                f"data.windows.block {self.block} and context {self.context} must be at least 1 bp and an even number "
                "of bp: half of the context lies on either side"
            )
        if not 0 <= self.without_sites <= 1:
            raise ConfigError(f"data.windows.without_sites {self.without_sites} must be a share from 0 to 1")


class SpliceSource(Source):
    """Acceptor and donor of every base of genes.

    genome: gives the codes.  contigs: {name: bp} in the order of their ids.
    contig: (n,) id of every gene, -1 for none.
    regions: {split: [(contig, start, end)]}; a locus that no region holds whole is in no split.
    """

    def __init__(
        self,
        genes: Genes,
        contig: np.ndarray,
        genome: Windows,
        contigs: Mapping[str, int],
        regions: Regions,
        windows: SpliceWindows,
        seed: int,
    ):
        self.targets = {TARGET: Field("CT", channels=SITES, values="binary")}
        self.windows, self.input_length = windows, windows.block + windows.context
        self.genome, self._contigs = genome, list(contigs)
        lengths = np.array([*contigs.values(), 0], np.int64)
        past = (contig >= 0) & (genes.end > lengths[contig])
        self.dropped = {
            "genes_on_contigs_without_sequence": int((contig < 0).sum()),
            "genes_past_the_end_of_their_contig": int(past.sum()),
        }
        self.loci = place_loci(genes, np.where(past, -1, contig))
        self._require_consensus()
        self._blocks = {split: self._blocks_of(split, regions[split], seed) for split in SPLITS}

    def examples(self, split: str) -> SpliceExamples:
        """The blocks of one split."""
        if split not in SPLITS:
            raise ConfigError(f"there is no split {split!r}" + did_you_mean(split, SPLITS))
        return SpliceExamples(self._blocks[split], self.genome, self._contigs, self.windows.context)

    def baselines(self, target: str) -> list[Baseline]:
        """Log-odds of the bases at a site, learnt from the sites of the training split; none without any."""
        if target != TARGET or not len(self._blocks["train"]):
            return []
        matrix, chain = self.site_models
        return [
            Baseline("splice-site PWM", matrix.score, scores=True),
            Baseline("splice-site Markov chain", chain.score, scores=True),
        ]

    @cached_property
    def site_models(self) -> tuple[SiteModel, SiteModel]:
        """A position weight matrix and a first-order Markov chain of either kind of site, of at most 20,000 blocks."""
        examples = self.examples("train")
        sites, background = ([], []), []
        chosen = np.arange(len(examples))
        if len(chosen) > _MOST_BLOCKS:
            chosen = np.sort(np.random.default_rng(0).choice(chosen, _MOST_BLOCKS, replace=False))
        for rows in np.array_split(chosen, -(-len(chosen) // _AT_ONCE)):
            batch = examples.batch(rows)
            codes, target = batch["codes"], batch[f"target/{TARGET}"]
            background.append(codes[:64])
            for kind in range(len(SITES)):
                sites[kind].append(site_windows(codes, kind, *np.nonzero(target[:, kind])))
        both = tuple(np.concatenate(x) for x in sites)
        if not all(map(len, both)):
            raise DataError("the training split has no acceptor or no donor: give it a region with genes of two exons")
        order_0, order_1 = (SiteModel.fit(both, np.concatenate(background), order) for order in (0, 1))
        return order_0, order_1

    def numbers(self) -> dict[str, dict[str, int]]:
        """{split: loci, blocks and sites of either kind}."""
        out = {}
        for split, blocks in self._blocks.items():
            sites = {
                f"{name}s": int(np.diff(blocks.bounds(kind), axis=1).sum()) if len(blocks) else 0
                for kind, name in enumerate(SITES)
            }
            out[split] = {"loci": len(np.unique(blocks.locus)), "blocks": len(blocks), **sites}
        return out

    def _blocks_of(self, split: str, regions: Sequence[tuple[int, int, int]], seed: int) -> Blocks:
        inside = self.loci.within(regions)
        self.dropped[f"{split}_loci_across_a_border"] = int((self.loci.touching(regions) & ~inside).sum())
        blocks = Blocks.of(self.loci, np.flatnonzero(inside), self.windows.block)
        if split != "train":
            return blocks
        kept = np.random.default_rng((seed, 0)).random(len(blocks)) < self.windows.without_sites
        kept |= blocks.n_sites > 0
        self.dropped["train_blocks_without_sites"] = int((~kept).sum())
        return blocks.take(np.flatnonzero(kept))

    def _require_consensus(self) -> None:
        """Introns begin with GT and end with AG nearly everywhere: elsewhere the genes are of another assembly."""
        shares = {}
        for kind, (letters, ahead) in enumerate(((("A", "G"), -2), (("G", "T"), 1))):
            right = total = 0
            for (contig, strand), sites in self.loci.sites.items():
                at = sites[kind] + ahead if strand > 0 else sites[kind] - ahead - 1
                ids, strands = np.full(len(at), contig), np.full(len(at), strand)
                codes = self.genome.windows(ids, at, 2, strands)
                known = (codes < 4).all(1)
                right += int((codes[known] == ["ACGT".index(x) for x in letters]).all(1).sum())
                total += int(known.sum())
            shares["".join(letters)] = right / total if total else 1.0
        if min(shares.values()) < _LEAST_CONSENSUS:
            raise GenomeMismatch(
                f"{shares['GT']:.0%} of the donors are followed by GT and {shares['AG']:.0%} of the acceptors preceded "
                "by AG: give the genome that the genes were annotated on"
            )
        self.notes = [
            f"{shares['GT']:.1%} of the donors are followed by GT, {shares['AG']:.1%} of the acceptors preceded by AG",
            "overlapping genes of one strand are one locus, so that each base of a strand is judged once",
        ]
