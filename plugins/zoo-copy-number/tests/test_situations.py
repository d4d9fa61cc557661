"""Planted events in genomes other than a diploid woman's: they are found, and nothing else that is long."""

from dataclasses import replace

import numpy as np
import pytest

import zoo
from zoo.cli.main import main
from zoo_copy_number.bins import Bins
from zoo_copy_number.caller import call_sample
from zoo_copy_number.designs import genome_design
from zoo_copy_number.pseudoautosomal import ASSEMBLIES
from zoo_copy_number.sex import count_male
from zoo_copy_number.simulation import simulate_sample
from zoo_copy_number.simulation_settings import DepthSettings

QUIET = DepthSettings(noise=(0.05, 0.08), events=(0, 0), arms=0, pure=1.0, wave=(0, 0.05), gc_correlation=(-0.4, 0.4))
GRCH38 = next(a for a in ASSEMBLIES if a.name == "GRCh38").size
HUMAN = {"chr1": 249_000_000, "chr2": 242_000_000, "chr7": 159_000_000, "chr17": 83_000_000, "chr21": 47_000_000}
YEAST = {f"chr{r}": 240_000 * (1 + i % 5) for i, r in enumerate("I II III IV V VI VII VIII IX X XI XII XIII".split())}
LONG = 5_000_000
REFSEQ = {"chr1": "NC_000001.11", "chr2": "NC_000002.12", "chr7": "NC_000007.14", "chr17": "NC_000017.11"}
REFSEQ |= {"chr21": "NC_000021.9", "chrX": "NC_000023.11", "chrY": "NC_000024.10"}
DECOYS = {"chrM": 16_569, "hs37d5": 35_000_000, "chr1_KI270706v1_random": 2_000_000, "chrEBV": 171_823}


@pytest.fixture(scope="module")
def model():
    return zoo.load("copy-number")


def simulate(seed, sizes, copies_by_contig, events, ploidy=2, width=200_000, regions=False):
    """(bins, copies): simulated depth of `copies_by_contig` (`ploidy` of the others), and events
    (contig, first bin, bin after the last, copies); regions: the pseudoautosomal ends of X at `ploidy`, none of Y."""
    rng = np.random.default_rng(seed)
    sample = simulate_sample(rng, genome_design(rng, width=width, sizes=sizes), QUIET)
    while not sample.male:
        sample = simulate_sample(rng, genome_design(rng, width=width, sizes=sizes), QUIET)
    bins, names = sample.bins, list(sample.bins.contigs)
    copies = np.array([copies_by_contig.get(n, ploidy) for n in names], float)[bins.contig]
    if regions:
        for role in ("X", "Y"):
            for start, end in next(a for a in ASSEMBLIES if a.name == "GRCh38").regions[role]:
                inside = (bins.chrom == f"chr{role}") & (bins.start < end) & (bins.end > start)
                copies[inside] = ploidy if role == "X" else 0
    for contig, first, last, n in events:
        copies[np.flatnonzero(bins.chrom == contig)[first:last]] = n
    depth = bins.depth * 2 / np.maximum(sample.expected, 1) * copies / ploidy
    return replace(bins, depth=depth.astype(np.float32)), copies


def missed_and_wrong(called, bins, events):
    """Events of which less than half is called with their copies; other calls over 5 Mb, or 5 % of the genome."""
    missed = []
    for contig, first, last, n in events:
        here = np.flatnonzero(bins.chrom == contig)[first:last]
        here = here[called.predicted.known[here]]
        if (called.copies[here] == n).mean() < 0.5:
            missed.append((contig, n))
    wrong = []
    for call in called.calls.of("DEL", "DUP"):
        planted = [e for e in events if e[0] == call.contig and e[1] * 1.0 < call.end]
        inside = (bins.chrom == call.contig) & (bins.start >= call.start) & (bins.end <= call.end)
        at = np.flatnonzero(bins.chrom == call.contig)
        truth = np.zeros(len(bins), bool)
        for _, first, last, _ in planted:
            truth[at[first:last]] = True
        if truth[inside].mean() < 0.5 and call.length > min(LONG, 0.05 * bins.width.sum()):
            wrong.append(call)
    return missed, wrong


def events_of(ploidy, contigs=("chr1", "chr2", "chr7"), first=100, size=100):
    steps = (-1, 1, 2)
    return [(c, first, first + size, max(0, ploidy + s)) for c, s in zip(contigs, steps, strict=True)]


def situation(name):
    """(bins, events, options)"""
    male, female = {"chrX": 1, "chrY": 1}, {"chrX": 2, "chrY": 0.02}
    if name in ("haploid", "triploid", "tetraploid", "hexaploid"):
        ploidy = {"haploid": 1, "triploid": 3, "tetraploid": 4, "hexaploid": 6}[name]
        events = events_of(ploidy)
        return *simulate(1, HUMAN, {}, events, ploidy), events, {"ploidy": ploidy}
    if name == "yeast":
        events = [("chrX", 0, 480, 1), ("chrIV", 100, 200, 3)]
        return *simulate(2, YEAST, {}, events, width=500), events, {}
    sizes = {**HUMAN, **{f"chr{r}": n for r, n in GRCH38.items()}}
    events = [*events_of(2), ("chrX", 300, 340, 0 if name == "female" else 2)]
    if name == "female":
        return *simulate(3, sizes, female, events, regions=False), events, {}
    if name == "tetraploid male":
        events = events_of(4)
        copies = dict(zip(("chrX", "chrY"), count_male(4), strict=True))
        return *simulate(4, sizes, copies, events, 4, regions=True), events, {"ploidy": 4}
    bins, copies = simulate(5, {**sizes, **(DECOYS if name == "decoys" else {})}, male, events, regions=True)
    if name == "decoys":
        other = np.isin(bins.chrom, list(DECOYS))
        depth = np.where(other, bins.depth * np.where(bins.chrom == "chrM", 500, 0.1), bins.depth).astype(np.float32)
        return replace(bins, depth=depth), copies, events, {}
    if name == "RefSeq names":
        names = [REFSEQ[c] for c in bins.contigs]
        renamed = replace(bins, contigs=names, sizes={REFSEQ[c]: n for c, n in bins.sizes.items()})
        return renamed, copies, [(REFSEQ[c], *rest) for c, *rest in events], {}
    return bins, copies, events, {}


SITUATIONS = ("haploid", "triploid", "tetraploid", "hexaploid", "yeast", "female", "male", "tetraploid male")
SITUATIONS += ("RefSeq names", "decoys")


@pytest.mark.parametrize("name", SITUATIONS)
def test_planted_events_are_found_and_nothing_else_is_long(model, name):
    bins, _, events, options = situation(name)
    called = call_sample(model, bins, **options)
    missed, wrong = missed_and_wrong(called, bins, events)
    assert missed == []
    assert wrong == []
    if name in ("male", "RefSeq names", "decoys", "tetraploid male"):
        assert called.seen_sex == "male"
        assert any("pseudoautosomal regions of GRCh38" in n for n in called.notes)
        assert not [c for c in called.calls.of("DEL", "DUP") if c.contig.endswith("Y") and c.length > 1e6]
    if name == "decoys":
        assert {c.contig for c in called.calls} <= set(bins.contigs) - set(DECOYS)
        assert any("4 contigs that are no chromosomes are not called" in n for n in called.notes)
    if name in ("tetraploid", "hexaploid"):
        assert any("neighbouring bins are taken as one" in n for n in called.notes)
    if name == "yeast":
        assert called.sex is None


def write_depth(path, bins, depth=None):
    depth = bins.depth if depth is None else depth
    rows = zip(bins.chrom, bins.start, bins.end, depth, strict=True)
    path.write_text("".join(f"{c}\t{a}\t{b}\t{d:.6g}\n" for c, a, b, d in rows))
    return str(path)


def flat(contigs, n=100, width=10_000, mean=100, seed=0, **levels):
    """Poisson depth of contigs of n bins, some at another level."""
    rng = np.random.default_rng(seed)
    contig = np.repeat(np.arange(len(contigs), dtype=np.int32), n)
    start = np.tile(np.arange(n, dtype=np.int64) * width, len(contigs))
    level = np.array([levels.get(c, 1.0) for c in contigs])[contig]
    nothing, mask = np.full(len(start), np.nan, np.float32), np.ones(len(start), bool)
    depth = rng.poisson(mean * level).astype(np.float32)
    return Bins(list(contigs), contig, start, start + width, depth, nothing, nothing, mask)


def call(capsys, path, *options, out):
    capsys.readouterr()
    code = main(["call-cnv", path, "--model", "copy-number", "-o", str(out), *options])
    printed = capsys.readouterr()
    lines = [x.split("\t") for x in out.read_text().splitlines() if not x.startswith("#")] if out.exists() else []
    return code, [(c, int(a), int(b), name) for c, a, b, name, _ in lines], printed.out + printed.err


EIGHT = [f"chr{i}" for i in range(1, 9)]


@pytest.mark.parametrize(("ploidy", "level", "name"), [(1, 2, "DUP:2"), (4, 0.75, "DEL:3"), (3, 4 / 3, "DUP:4")])
def test_one_altered_chromosome_of_any_ploidy(tmp_path, capsys, ploidy, level, name):
    path = write_depth(tmp_path / "a.bedgraph", flat(EIGHT, chr3=level))
    code, calls, _ = call(capsys, path, "--ploidy", str(ploidy), out=tmp_path / "a.bed")
    assert (code, calls) == (0, [("chr3", 0, 1_000_000, name)])


@pytest.mark.parametrize("lost", ["chrX", "chrIX"])
def test_a_lost_chromosome_of_yeast_is_a_loss(tmp_path, capsys, lost):
    contigs = [f"chr{r}" for r in "I II III IV V VI VII VIII IX X XI XII".split()]
    path = write_depth(tmp_path / "a.bedgraph", flat(contigs, width=2_000, **{lost: 0.5}))
    code, calls, printed = call(capsys, path, out=tmp_path / "a.bed")
    assert (code, calls) == (0, [(lost, 0, 200_000, "DEL:1")])
    assert "sex\tunknown (no contig is X or Y)" in printed


@pytest.mark.parametrize("sex", [[], ["--sex", "male"]])
@pytest.mark.parametrize(
    ("first", "x", "y"),
    [("NC_000001.11", "NC_000023.11", "NC_000024.10"), ("1", "23", "24"), ("1", "chrom_X", "chrom_Y")],
)
def test_a_males_x_and_y_under_other_names_are_no_calls(tmp_path, capsys, sex, first, x, y):
    contigs = [first.replace("1", str(i), 1) if first == "1" else f"NC_00000{i}.11" for i in range(1, 9)]
    path = write_depth(tmp_path / "a.bedgraph", flat([*contigs, x, y], width=100_000, **{x: 0.5, y: 0.5}))
    code, calls, _ = call(capsys, path, *sex, out=tmp_path / "a.bed")
    assert (code, calls) == (0, [])


def test_an_unknown_accession_with_a_sex_is_an_error_and_without_a_warning(tmp_path, capsys):
    contigs = [f"NC_0999{i:02}.1" for i in range(10)]
    path = write_depth(tmp_path / "a.bedgraph", flat(contigs))
    code, _, printed = call(capsys, path, "--sex", "male", out=tmp_path / "a.bed")
    assert code == 1
    assert "do not say which contigs are X and Y" in printed
    code, calls, printed = call(capsys, path, out=tmp_path / "a.bed")
    assert (code, calls) == (0, [])
    assert "do not say which are X and Y" in printed


def exome(seed, uncovered, loss=None):
    rng, kit = np.random.default_rng(seed), np.random.default_rng(99)
    n = 700
    efficiency, empty = np.exp2(kit.normal(0, 0.5, n)), kit.random(n) < uncovered
    depth = rng.poisson(140 * efficiency).astype(np.float32)
    if loss:
        depth[slice(*loss)] /= 2
    depth[empty] = rng.choice([0, 0, 0.02, 0.05, 0.1], empty.sum())
    start = np.arange(n, dtype=np.int64) * 3_000
    nothing = np.full(n, np.nan, np.float32)
    bins = Bins(["chr1"], np.zeros(n, np.int32), start, start + 150, depth, nothing, nothing, np.ones(n, bool))
    return bins, empty


@pytest.mark.parametrize("uncovered", [0.1, 0.4, 0.6])
def test_exons_that_a_kit_does_not_capture_are_left_out(tmp_path, capsys, uncovered):
    tumour, empty = exome(0, uncovered, (300, 340))
    path = write_depth(tmp_path / "t.bedgraph", tumour)
    normals = [write_depth(tmp_path / f"n{i}.bedgraph", exome(i, uncovered)[0]) for i in (1, 2, 3)]
    options = [x for n in normals for x in ("--normal", n)]
    code, calls, printed = call(capsys, path, *options, out=tmp_path / "t.bed")
    assert code == 0
    assert [c[3] for c in calls] == ["DEL:1"]
    inside = np.flatnonzero(~empty[300:340]) + 300
    assert abs(calls[0][1] - 3_000 * inside[0]) <= 9_000
    assert abs(calls[0][2] - 3_000 * inside[-1]) <= 9_000
    assert f"{empty.sum():,} of 700 bins have no coverage in the normals: they are masked" in printed


def test_exons_without_coverage_and_without_normals_are_left_out_if_they_are_many(tmp_path, capsys):
    bins, empty = exome(0, 0.4)
    code, calls, printed = call(capsys, write_depth(tmp_path / "t.bedgraph", bins), out=tmp_path / "t.bed")
    assert code == 0
    assert [c for c in calls if c[3] != "NO-CALL"] == []
    assert f"{empty.sum():,} of 700 bins have no coverage and are more than a loss can be" in printed


def test_a_few_bins_without_reads_are_a_loss(tmp_path, capsys):
    bins = flat(EIGHT)
    depth = bins.depth.copy()
    depth[230:250] = 0
    code, calls, printed = call(capsys, write_depth(tmp_path / "a.bedgraph", bins, depth), out=tmp_path / "a.bed")
    assert (code, calls) == (0, [("chr3", 300_000, 500_000, "DEL:0")])
    assert "no coverage" not in printed


def test_more_than_a_third_altered_is_refused_with_its_table(tmp_path, capsys):
    levels = {"chr1": 0.5, "chr3": 1.5, "chr5": 2.0, "chr7": 1.5}
    path = write_depth(tmp_path / "a.bedgraph", flat(EIGHT, **levels))
    code, calls, printed = call(capsys, path, out=tmp_path / "a.bed")
    assert code == 1
    assert len(calls) >= 3
    assert "a is not interpretable: " in printed
    assert "give --ploidy where the genome is not diploid, or --normal or --reference of its kit, or --fasta" in printed
    assert "Traceback" not in printed
    code, _, printed = call(capsys, path, "--ploidy", "2", out=tmp_path / "b.bed")
    assert code == 1
    assert "--ploidy" not in printed, "it was given"


def test_a_panel_of_x_alone_is_set_against_what_its_sex_has(tmp_path, capsys):
    bins = flat(["chrX"], n=600)
    depth = bins.depth.copy()
    depth[200:300] *= 2
    path = write_depth(tmp_path / "a.bedgraph", bins, depth)
    code, calls, _ = call(capsys, path, "--sex", "male", out=tmp_path / "a.bed")
    assert (code, calls) == (0, [("chrX", 2_000_000, 3_000_000, "DUP:2")])
