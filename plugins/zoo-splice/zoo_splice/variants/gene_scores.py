"""`GeneScores`: acceptor and donor gain and loss of every allele in every gene that it lies in.

Variants -> genes at each -> allele_outputs -> a row an allele and gene: DS (0 to 1) and DP (bp from the variant)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data.codes import encode
from zoo.effects.variants.allele_windows import has_own_reference
from zoo.effects.variants.rows import Scored
from zoo.errors import ConfigError, ContractError
from zoo.hub.import_record import import_record
from zoo.outputs import Output
from zoo.prediction.predict import origin
from zoo_splice.variants.allele_outputs import Allele, Strand, Stretch, allele_outputs
from zoo_splice.variants.conventions import CI_SPLICEAI, SPLICEAI, Convention
from zoo_splice.variants.genes import Gene, read_annotation
from zoo_splice.variants.info_field import SpliceField
from zoo_splice.variants.residual_stack import is_stack, stacks_of

if TYPE_CHECKING:
    from zoo.data.genome import Genome
    from zoo.model import Model
    from zoo.spec import ModelSpec
    from zoo.variants.variants import Variants

SCORES = ("DS_AG", "DS_AL", "DS_DG", "DS_DL")
PLACES = ("DP_AG", "DP_AL", "DP_DG", "DP_DL")
MOST = 4999
TOLERANCE = 1e-4
THRESHOLDS = (
    "0.2 (high recall), 0.5 (recommended), 0.8 (high precision) are those of the authors of SpliceAI; a benchmark of "
    "2026 (PLOS ONE 21(5) e0348885) found the best cut-offs for deep-intronic variants ten times lower"
)


class GeneScores:
    """annotation: a file, or grch37 or grch38.  distance: bp on either side in which sites are looked at.

    mask: without gains of sites that the annotation has and losses of others.
    strands: "both" scores an allele outside of all genes on either strand, in place of a gene "+" and "-"; "forward"
        gives it the status no_gene.
    any_assembly: go on with an annotation that does not fit the genome.

    Alleles are scored as written: the spelling decides at which base zeros and maxima of a changed length stand.
    """

    positions: Mapping[str, np.ndarray] = {}
    columns = ("DS", *SCORES, *PLACES)
    labels = ("gene", "strand")

    def __init__(
        self,
        model: Model,
        genome: Genome,
        *,
        annotation: str,
        distance: int = 50,
        mask: bool = False,
        strands: str = "forward",
        any_assembly: bool = False,
    ):
        if not 2 <= distance <= MOST:
            raise ConfigError(
                f"distance {distance} must be 2 to {MOST:,} bp: sites further away are not in the context"
            )
        if strands not in ("forward", "both"):
            raise ConfigError(
                f"strands {strands!r} of scores by gene must be forward or both: a gene's strand is its own"
            )
        self.stacks = stacks_of(model)
        self.model, self.genome = model, genome
        self.annotation = read_annotation(annotation, genome, any_assembly)
        self.distance, self.mask, self.both_strands = distance, mask, strands == "both"
        self.convention: Convention = convention_of(model.spec)
        self.options = {"annotation": annotation, "distance": distance, "mask": mask, "strands": strands}
        self.options |= {"any_assembly": any_assembly, "signals": {}}
        self._checked = False

    @staticmethod
    def reads(model: Model) -> bool:
        """Whether a model is one or several networks of acceptors and donors by base."""
        return is_stack(model)

    @property
    def reach(self) -> int:
        """bp from a variant within which its windows lie."""
        return self.stacks[0].reach + self.distance

    @property
    def notes(self) -> list[str]:
        """What a user should know of the annotation."""
        return self.annotation.notes

    @property
    def origin(self) -> dict[str, str]:
        """Comment lines that tie the scores to weights and code."""
        return {**origin(self.model, Output.every(self.model.spec))}

    @property
    def comments(self) -> dict[str, str]:
        """What a table must say of the scores."""
        return {
            "score.DS": "largest of the four; DS_AG, DS_AL, DS_DG, DS_DL: gain and loss of acceptors and donors, as "
            "differences of probabilities; DP_*: bp from the variant, as the genome reads",
            "annotation": self.annotation.description,
            "distance": f"{self.distance} bp",
            "mask": "without gains of annotated sites and losses of others" if self.mask else "none",
            "convention": f"of {self.convention.key}, alleles as written",
            "thresholds": THRESHOLDS,
        }

    @property
    def field(self) -> SpliceField:
        """The key of INFO that the tool of these networks writes."""
        return SpliceField(self.convention, self.model.spec.name, self.distance, self.mask)

    def __call__(self, variants: Variants, profiles: bool = False) -> Scored:
        """A row for every allele and gene, in the order of the alleles and, of one allele, of the annotation."""
        placed: list[list[Gene | None]] = [self._genes(variants, i) for i in range(len(variants))]
        work: dict[Any, list[tuple[int, int]]] = defaultdict(list)
        for i, genes in enumerate(placed):
            for k, gene in enumerate(genes):
                if gene is not None:
                    work[self._strand_key(variants, i, gene)].append((i, k))
        numbers: dict[tuple[int, int], tuple[list[float], list[int]]] = {}
        for (contig, strand, bounds), rows in work.items():
            alleles = [self._allele(variants, i) for i, _ in rows]
            strand = Strand(self.genome, contig, strand, bounds)
            self._check(strand, alleles)
            for j, reference, alternate in allele_outputs(self.stacks, strand, alleles):
                i, k = rows[j]
                numbers[i, k] = self._deltas(variants, i, placed[i][k], alleles[j], reference, alternate)
        return self._rows(variants, placed, numbers)

    def _genes(self, variants: Variants, i: int) -> list[Gene | None]:
        """Where an allele is scored; [None] where it is not."""
        if variants.status[i] != "ok":
            return [None]
        contig, position = int(variants.contig[i]), int(variants.pos[i])
        genes: list[Gene | None] = [
            gene
            for gene in self.annotation.at(contig, position)
            if self.convention.bounds(gene)[0] <= position < self.convention.bounds(gene)[1]
        ]
        if genes or not self.both_strands:
            return genes or [None]
        around = self.stacks[0].reach + self.distance
        nothing = np.zeros(0, np.int64)
        start, end = position - around, position + around + (1 if self.convention.last_base else 2)
        return [Gene(name, contig, turn, start, end, *[nothing] * 3) for name, turn in (("+", 1), ("-", -1))]

    def _strand_key(self, variants: Variants, i: int, gene: Gene) -> tuple[int, int, tuple[int, int]]:
        return gene.contig, gene.strand, self.convention.bounds(gene)

    def _allele(self, variants: Variants, i: int) -> Allele:
        position, reference = int(variants.pos[i]), str(variants.ref[i])
        first, last = self.convention.outputs(position, len(reference), self.distance)
        own = encode(reference) if has_own_reference(variants, i) else None
        return Allele(first, last, position, len(reference), encode(str(variants.alt[i])), own)

    def _deltas(self, variants, i, gene, allele, reference, alternate) -> tuple[list[float], list[int]]:
        before = allele.position - allele.first
        laid = self.convention.lay(alternate, before, allele.reference, len(allele.letters))
        return self.convention.deltas(reference, laid, allele.first, allele.position, gene, self.mask)

    def _rows(self, variants: Variants, placed: Sequence[Sequence[Gene | None]], numbers: Mapping) -> Scored:
        allele, values, status, labels = [], [], [], []
        for i, genes in enumerate(placed):
            for k, gene in enumerate(genes):
                allele.append(i)
                if gene is None:
                    values.append([np.nan] * len(self.columns))
                    status.append("no_gene" if variants.status[i] == "ok" else variants.status[i])
                    labels.append(["", ""])
                    continue
                scores, places = numbers[i, k]
                finite = np.isfinite(scores).all()
                values.append([max(scores), *scores, *places] if finite else [np.nan] * len(self.columns))
                status.append("ok" if finite else "not_finite")
                labels.append([gene.name, "+" if gene.strand > 0 else "-"])
        notes = variants.notes.copy()
        for i in np.flatnonzero(variants.status == "ok"):
            if _respelled(variants, i):
                notes[i] = ";".join(filter(None, (notes[i], "not_normal")))
        rows = np.array(allele, np.int64)
        table = np.array(values, np.float32).reshape(-1, len(self.columns))
        return Scored(table, np.array(status, object), notes=notes, allele=rows, labels=labels)

    def _check(self, strand: Strand, alleles: Sequence[Allele]) -> None:
        """Once: the outputs for an allele against those of the model itself, run as a whole."""
        if self._checked:
            return
        self._checked = True
        from zoo.prediction.inference import inferring

        reach = self.stacks[0].reach
        stretch = Stretch(strand, alleles[:1], reach)
        (_, grid), length = self.model.spec.outputs["splice"], self.model.spec.input_length
        assert grid is not None
        first = stretch.outputs_of(alleles[0])[0]
        n = min(grid.length, alleles[0].last - alleles[0].first)
        import torch

        windows = np.full((2, length), 4, np.uint8)
        for row, codes in zip(windows, (stretch.codes, stretch.alternate_codes(0)), strict=True):
            part = codes[max(0, first - grid.offset) :][:length]
            row[max(0, grid.offset - first) :][: len(part)] = part[: length - max(0, grid.offset - first)]
        with inferring(self.model, self.model.device):
            whole = self.model.predict({"codes": torch.from_numpy(windows).to(self.model.device)})["splice"]
        turn = slice(None, None, strand.strand)
        parts = stretch.outputs(self.stacks)[0]
        for own, other in zip(parts, whole.cpu().numpy(), strict=True):
            m = min(n, own.shape[1])
            off = float(np.abs(own[:, turn][:, :m] - other[:, :m]).max(initial=0))
            if not off <= TOLERANCE:
                raise ContractError(
                    f"parts of the layers of {self.model.spec.name!r} give other outputs than the whole model (by "
                    f"{off:.2g}, at most {TOLERANCE:g} is rounding): report this, and score nothing with it"
                )


def convention_of(spec: ModelSpec) -> Convention:
    """Of SpliceAI's networks, and of those that OpenSpliceAI trained anew; of all others that of CI-SpliceAI.

    What a model was imported as says whose it is, whatever the user calls it.
    """
    kin = str(import_record(spec).get("architecture") or spec.name)
    return SPLICEAI if kin.startswith(("spliceai", "openspliceai")) else CI_SPLICEAI


def _respelled(variants: Variants, i: int) -> bool:
    """Whether the normal spelling is another than the written one."""
    return (variants.norm_pos[i], variants.norm_ref[i], variants.norm_alt[i]) != (
        variants.pos[i],
        variants.ref[i].upper(),
        variants.alt[i].upper(),
    )
