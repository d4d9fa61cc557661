"""Effects of phased haplotypes: what the variants of a chromosome copy do together, and each among the others.

For every allele that a haplotype carries, in a window of the model's length whose position L // 2 is the allele's first
base, with all the variants that the haplotype has in that window:

    single       f(the allele alone) - f(reference)
    in_context   f(haplotype) - f(haplotype without the allele)
    joint        f(haplotype) - f(reference)
    sum          the sum of the single effects of all its variants in the window
    epistasis    joint - sum
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data.edits import Edits
from zoo.data.genome import Genome
from zoo.effects.variants.allele_windows import split_alleles
from zoo.errors import ConfigError, DataError, GenomeMismatch
from zoo.files.tables import data_frame
from zoo.hub.loader import as_model
from zoo.outputs import Output
from zoo.variants.genotypes import Genotypes, read_genotypes
from zoo.variants.haplotypes import Haplotype, Variant, haplotypes

if TYPE_CHECKING:
    import pandas

    from zoo.effects.engine.incremental import Incremental
    from zoo.model import Model

__all__ = ["COLUMNS", "EFFECTS", "phased_rows", "score_haplotypes"]

COLUMNS = ("chrom", "pos", "ref", "alt", "status", "sample", "haplotype")
CONTEXT = ("variants", "nearest", "notes")
EFFECTS = ("single", "in_context", "joint", "sum", "epistasis")
TOGETHER = 128


def score_haplotypes(
    model: Model | str,
    vcf: str | Path,
    *,
    fasta: str | Path | Sequence[str | Path] | Genome,
    sample: str,
    output: str | None = None,
    regions: Sequence[tuple[str, int, int]] | None = None,
) -> pandas.DataFrame:
    """A row for every allele that a haplotype of `sample` carries: chrom, pos (1-based) ... and the effects.

    regions: (chrom, start, end), 0-based half-open; whole contigs of the file's header where it is not given.
    """
    model = as_model(model)
    genome = Genome.of(fasta)
    selected = Output.parse(output, model.spec)
    rows = phased_rows(model, selected, vcf, genome, sample, regions)
    return data_frame(columns(selected), rows)


def columns(output: Output) -> list[str]:
    """Names of the columns of `phased_rows`."""
    return [*COLUMNS, *[f"{name}.{effect}" for name in output.names for effect in EFFECTS], *CONTEXT]


def phased_rows(
    model: Model,
    output: Output,
    vcf: str | Path,
    genome: Genome,
    sample: str,
    regions: Sequence[tuple[str, int, int]] | None = None,
) -> Iterator[list[Any]]:
    """Rows by contig and position; haplotype is 1 or 2, 0 where the phase is unknown.

    status: ok; unphased or phase_set (the phase is unknown: never treated as phased); overlap, symbolic (the haplotype
    cannot hold it); ref_mismatch; out_of_bounds.
    """
    from zoo.effects import incremental

    engine = incremental(model, output)
    for chrom, start, end in regions or _contigs(vcf, genome):
        length = engine.length
        low, high = max(0, start - length), min(genome.contigs[genome.resolve(chrom)], end + 2 * length)
        store = read_genotypes(vcf, chrom, sample, low, high)
        alleles = _carried(store, sample, start, end)
        windows = (_window(store, genome, sample, chrom, *allele, length) for allele in alleles)
        while part := list(islice(windows, TOGETHER)):
            yield from _measured(engine, genome, chrom, sample, part, len(output.names))


def _contigs(vcf: str | Path, genome: Genome) -> list[tuple[str, int, int]]:
    from zoo.variants.files import read_variants

    opened = read_variants(vcf, genome)
    names = [] if opened.header is None else list(opened.header.contigs)
    found = []
    for name in names:
        try:
            found.append((name, 0, genome.contigs[genome.resolve(name)]))
        except GenomeMismatch:
            continue
    if not found:
        raise ConfigError(f"{vcf} lists no contig of genome {genome.name!r} in its header: name regions")
    return found


def _carried(store: Genotypes, sample: str, start: int, end: int) -> list[tuple[int, int, int]]:
    """(position, allele, haplotype from 0) of every alternate allele carried in [start, end)."""
    s, found = store.sample_id(sample), []
    for h in range(2):
        alleles = store.allele[store.first[2 * s + h] : store.first[2 * s + h + 1]]
        places = store.position[np.searchsorted(store.site_first, alleles, "right") - 1]
        found += [(int(p), int(a), h) for p, a in zip(places, alleles, strict=True) if start <= p < end]
    return sorted(found)


def _window(store, genome, sample, chrom, position, allele, haplotype, length) -> dict[str, Any]:
    """One row before it is measured: the window, the haplotype's variants in it, and which of them it is about."""
    site = int(np.searchsorted(store.site_first, allele, "right")) - 1
    reference, alternate = store.text(int(store.site_first[site])), store.text(allele)
    start = position - length // 2
    row = {"position": position, "ref": reference, "alt": alternate, "haplotype": haplotype + 1, "start": start}
    if start < 0 or start + length > genome.contigs[genome.resolve(chrom)]:
        return {**row, "status": "out_of_bounds"}
    try:
        both = haplotypes(store, genome, sample, chrom, start, start + length, unphased="flag")
    except GenomeMismatch as error:
        return {**row, "status": "ref_mismatch", "notes": str(error)}
    if haplotype >= len(both):
        return {**row, "status": "unphased", "haplotype": 0}
    own: Haplotype = both[haplotype]
    for rule in (*own.skipped, *own.unphased):
        if (rule.position, rule.alternate) == (position, alternate):
            number = 0 if rule.rule in ("unphased", "phase_set") else haplotype + 1
            return {**row, "status": rule.rule, "haplotype": number}
    inside = [v for v in own.variants if v.position >= start]
    index = next((i for i, v in enumerate(inside) if (v.position, v.alternate) == (position, alternate)), None)
    if index is None:
        raise DataError(f"{store.path}: {chrom}:{position + 1} {reference}>{alternate} of {sample} was not followed")
    notes = [f"{len(own.unphased)} unphased left at the reference"] if own.unphased else []
    notes += [f"{len(own.missing)} missing read as reference"] if len(own.missing) else []
    return {**row, "status": "ok", "variants": inside, "index": index, "notes": ";".join(notes)}


def _measured(
    engine: Incremental, genome: Genome, chrom: str, sample: str, windows: list[dict], outputs: int
) -> Iterator[list[Any]]:
    """Rows of some windows, all measured at once."""
    good = [w for w in windows if w["status"] == "ok"]
    sets: list[list] = []
    rows: list[int] = []
    for number, w in enumerate(good):
        edits = [_edit(v, w["start"]) for v in w["variants"]]
        without = edits[: w["index"]] + edits[w["index"] + 1 :]
        mutants = [edits, without, *([e] for e in edits)]
        sets += mutants
        rows += [number] * len(mutants)
    effects = iter(())
    if good:
        edits = Edits.sets(sets, rows)
        flank = max(0, -int(edits.shift.min()))
        contig = genome.contig_ids([chrom] * len(good))
        codes = genome.windows(contig, np.array([w["start"] for w in good]), engine.length + flank)
        found = engine.effects(codes, edits).double().cpu().numpy()
        ends = np.cumsum([2 + len(w["variants"]) for w in good])[:-1]
        effects = iter(np.split(found, ends))
    for w in windows:
        told = [chrom, w["position"] + 1, w["ref"], w["alt"], w["status"], sample, w["haplotype"]]
        if w["status"] != "ok":
            yield [*told, *[None] * (len(EFFECTS) * outputs), None, None, w.get("notes", "")]
            continue
        joint, without, *single = next(effects)
        numbers = np.stack([single[w["index"]], joint - without, joint, sum(single), joint - sum(single)])
        others = [abs(v.position - w["position"]) for i, v in enumerate(w["variants"]) if i != w["index"]]
        yield [*told, *map(float, numbers.T.ravel()), len(w["variants"]), min(others, default=None), w["notes"]]


def _edit(variant: Variant, start: int) -> tuple[int, int, str]:
    skip, old, new = split_alleles(variant.reference.upper(), variant.alternate.upper())
    return variant.position - start + skip, old, new
