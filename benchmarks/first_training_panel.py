"""The panel of `first_training.py`: sixteen training sets, each a table of sequence, label and a fixed split.

panel(data, folder)   data: folder of the real files -> {name: Set}, whose tables are written to `folder` once

ctcf         peaks of chr20 against windows of equal GC; judged on chrX
pu1          PU.1 peaks against dinucleotide shuffles; chr10 validates, chr8 and chr9 judge; 20,000 training rows
clip_*       four ELAVL1 CLIP experiments as published; a tenth of the training rows, by hash, validates
yeast_*      six ChIP-exo targets, five random windows a peak; chrIV, chrXI validate, chrI, chrVIII, chrXVI judge
ecoli        promoters of 165 bp, expression; rows that share a 20-mer stand in one split
yeast_random random yeast promoters, expression; split by hash
sim_motif    a planted GATA1 against the same letters shuffled
sim_grammar  two motifs whose effect depends on their spacing and orientation, a measured value
"""

from __future__ import annotations

import csv
import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.data.codes import decode, encode
from zoo.data.dinucleotide_shuffle import dinucleotide_shuffle
from zoo.registry import registry

SPLITS = ("train", "validation", "test")
CLIP = {
    "clip_parclip": "8_PARCLIP_ELAVL1",
    "clip_mnase": "9_PARCLIP_ELAVL1MNASE",
    "clip_parclip_a": "10_PARCLIP_ELAVL1A",
    "clip_clipseq": "11_CLIPSEQ_ELAVL1",
}
YEAST = ("Reb1", "Abf1", "Rap1", "Mcm1", "Ume6", "Cbf1")
ROMAN = "I II III IV V VI VII VIII IX X XI XII XIII XIV XV XVI".split()

Rows = Iterator[tuple[str, float, str]]


@dataclass(frozen=True)
class Set:
    """A table, and whether its labels are measured values."""

    name: str
    table: Path
    regression: bool = False

    def cut(self, n: int, folder: Path) -> Set | None:
        """The same set with n training rows, drawn with the seed n; None where it has no more than these."""
        lines = self.table.read_text().splitlines()
        train = [i for i, line in enumerate(lines) if line.endswith("\ttrain")]
        if len(train) <= n:
            return None
        kept = set(np.random.default_rng(n).choice(train, n, replace=False).tolist())
        path = folder / f"{self.name}_{n}.tsv"
        path.write_text("".join(f"{line}\n" for i, line in enumerate(lines) if i in kept or i not in set(train)))
        return Set(self.name, path, self.regression)


def panel(data: Path, folder: Path) -> dict[str, Set]:
    """All sets; a table that is there already is not made again."""
    makers = {
        "ctcf": lambda: _ctcf(data),
        "pu1": lambda: _pu1(data / "ctcf/PU1_peaks_100bp.fa.gz"),
        **{name: (lambda file=file: _clip(data / "clip", file)) for name, file in CLIP.items()},
        **{f"yeast_{name}": (lambda name=name: _yeast(data, name)) for name in YEAST},
        "ecoli": lambda: _ecoli(data / "constructs/gpro/ecoli_165_cross_species_wanglab/ecoli_mpra_expr.csv.gz"),
        "yeast_random": lambda: _yeast_random(data / "constructs/dream2022/yeast_random_promoters.txt.gz"),
        "sim_motif": lambda: _simulated("binding", motifs=["GATA1"], n_train=3_000, n_validation=500, n_test=2_000),
        "sim_grammar": lambda: _simulated("activity", **GRAMMAR),
    }
    folder.mkdir(parents=True, exist_ok=True)
    sets = {}
    for name, make in makers.items():
        path = folder / f"{name}.tsv"
        if not path.is_file():
            rows = "".join(f"{sequence}\t{label:g}\t{split}\n" for sequence, label, split in make())
            path.write_text(f"sequence\tlabel\tsplit\n{rows}")
        sets[name] = Set(name, path, name in ("ecoli", "yeast_random", "sim_grammar"))
    return sets


GRAMMAR: Mapping[str, object] = {
    "motifs": ["CTCF", "SPI1"],
    "n_train": 10_000,
    "n_validation": 1_000,
    "n_test": 2_000,
    "length": 100,
    "rows": {"positives": 0.7},
    "pair": {"spacing": [8, 12], "orientation": "opposite", "fraction": 0.4, "synergy": 3.0},
}


def _records(path: Path) -> Iterator[tuple[str, str]]:
    name, parts = "", []
    with gzip.open(path, "rt") as file:
        for line in file:
            if not line.startswith(">"):
                parts.append(line.strip())
                continue
            if parts:
                yield name, "".join(parts)
            name, parts = line[1:].strip(), []
    yield name, "".join(parts)


def _share(text: str) -> float:
    return zlib.crc32(text.encode()) / 2**32


def _of_source(kind: str, arguments: Mapping[str, object], target: str) -> Rows:
    source = registry().build("data", kind, dict(arguments))
    for split in SPLITS:
        examples = source.examples(split)
        for first in range(0, len(examples), 1000):
            batch = examples.batch(np.arange(first, min(first + 1000, len(examples))))
            for codes, label in zip(batch["codes"], batch[f"target/{target}"][:, 0], strict=True):
                yield decode(codes), float(label), split


def _ctcf(data: Path) -> Rows:
    fasta = [str(data / f"hg19/{name}.fa.gz") for name in ("chr20", "chrX_first70Mb")]
    splits = {"train": ["chr20:0-45000000"], "validation": ["chr20:45000000-"], "test": ["chrX:0-70000000"]}
    peaks = str(data / "ctcf/GM12878_CTCF_chr20_chrX.broadPeak.gz")
    yield from _of_source(
        "peaks", {"peaks": peaks, "genome": {"name": "hg19", "fasta": fasta}, "splits": splits}, "binding"
    )


def _simulated(target: str, **arguments: object) -> Rows:
    yield from _of_source("simulated", {"targets": [target], **arguments}, target)


def _pu1(path: Path) -> Rows:
    train = 0
    for name, sequence in _records(path):
        split = {"chr10": "validation", "chr8": "test", "chr9": "test"}.get(name.split(":")[0], "train")
        if len(sequence) != 100 or set(sequence) - set("ACGT") or (split == "train" and train == 10_000):
            continue
        train += split == "train"
        yield sequence, 1, split
        yield decode(dinucleotide_shuffle(encode(sequence), 1, zlib.crc32(sequence.encode()))[0]), 0, split


def _clip(folder: Path, name: str) -> Rows:
    test = [(s, int(h.rsplit("class:", 1)[1])) for h, s in _records(folder / f"{name}_hg19.test.fa.gz")]
    judged = {sequence for sequence, _ in test}
    for header, sequence in _records(folder / f"{name}_hg19.training.fa.gz"):
        if len(sequence) == 101 and sequence not in judged:
            split = "validation" if _share(sequence) < 0.1 else "train"
            yield sequence, int(header.rsplit("class:", 1)[1]), split
    yield from ((sequence, label, "test") for sequence, label in test if len(sequence) == 101)


def _yeast(data: Path, name: str) -> Rows:
    genome = {header.split()[0]: sequence.upper() for header, sequence in _records(data / "sacCer3/sacCer3.fa.gz")}
    with tarfile.open(data / "chipexo/rossi2021_peaks.tar.gz") as archive:
        file = archive.extractfile(f"peaks/{name}_CX.bed")
        assert file is not None
        lines = [line.split("\t") for line in io.TextIOWrapper(file)]
    summits: dict[str, list[int]] = {}
    for chrom, start, *_ in lines:
        summits.setdefault(f"chr{ROMAN[int(chrom[3:]) - 1]}", []).append(int(start))
    rng = np.random.default_rng(0)
    for chrom, places in summits.items():
        sequence = genome[chrom]
        split = {"chrIV": "validation", "chrXI": "validation", "chrI": "test", "chrVIII": "test", "chrXVI": "test"}
        inside = [p for p in places if 100 <= p < len(sequence) - 100]
        far = np.array(places)
        others: list[int] = []
        while len(others) < 5 * len(inside):
            place = int(rng.integers(100, len(sequence) - 100))
            if np.abs(far - place).min() >= 500:
                others.append(place)
        for label, several in ((1, inside), (0, others)):
            for p in several:
                yield sequence[p - 100 : p + 100], label, split.get(chrom, "train")


def _ecoli(path: Path) -> Rows:
    with gzip.open(path, "rt") as file:
        rows = list(csv.reader(file))[1:]
    group, seen = list(range(len(rows))), {}

    def root(i: int) -> int:
        while group[i] != i:
            group[i] = group[group[i]]
            i = group[i]
        return i

    for i, (sequence, _) in enumerate(rows):
        for start in range(len(sequence) - 19):
            group[root(i)] = root(seen.setdefault(sequence[start : start + 20], i))
    for i, (sequence, value) in enumerate(rows):
        yield sequence, float(value), _by_share(_share(str(root(i))))


def _yeast_random(path: Path) -> Rows:
    with gzip.open(path, "rt") as file:
        for line in file:
            sequence, value = line.split()
            if "N" not in sequence:
                yield sequence, float(value), _by_share(_share(sequence))


def _by_share(share: float) -> str:
    return "validation" if share < 0.1 else "test" if share < 0.3 else "train"
