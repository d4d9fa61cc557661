"""Every format of read depth gives the planted depth, and bad files are refused in words that help."""

import gzip
import os
from pathlib import Path

import numpy as np
import pysam
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from zoo.errors import ConfigError, DataError, GenomeMismatch
from zoo_copy_number.readers import detect_format, read_bins
from zoo_copy_number.readers.gc_mappability import read_mappability
from zoo_copy_number.readers.sniff import sample_name

DEPTH = [10.0, 12.5, 0.0, 7.25]


def put(folder, name, text):
    path = folder / name
    data = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def lines(rows):
    return "".join("\t".join(map(str, r)) + "\n" for r in rows)


def windows(contig="chr1", depth=DEPTH, size=100):
    return [(contig, i * size, (i + 1) * size, d) for i, d in enumerate(depth)]


def write_bigwig(path, sizes, runs):
    import pybigtools

    named = path.with_name("written.bw")
    pybigtools.open(str(named), "w").write(sizes, iter(runs))
    named.rename(path)
    return path


# Formats


TEXTS = {
    "s.regions.bed.gz": lines(windows()),
    "s.regions.bed": lines((c, a, b, "exon", d) for c, a, b, d in windows()),
    "s.bedgraph": "track type=bedGraph name=x\n#note\n" + lines(windows()),
    "s.bdg": lines(windows()).replace("\t", " "),
    "s.bedGraph.gz": lines(windows()).replace("\n", "\r\n"),
    "s.wig": "track type=wiggle_0\nfixedStep chrom=chr1 start=1 step=100 span=100\n10\n12.5\n0\n7.25\n",
    "s.wig.gz": "variableStep chrom=chr1 span=100\n1 10\n101\t12.5\n201 0\nvariableStep chrom=chr1 span=100\n301 7.25",
    "s.targetcoverage.cnn": "chromosome\tstart\tend\tgene\tdepth\tlog2\n"
    + lines((c, a, b, "G", d, np.log2(d) if d else -20) for c, a, b, d in windows()),
    "s.cnn.gz": "chromosome\tstart\tend\tgene\tlog2\n"
    + lines((c, a, b, "G", np.log2(d) if d else -20) for c, a, b, d in windows()),
}


@pytest.mark.parametrize("name", TEXTS)
def test_every_text_gives_the_same_bins(tmp_path, name):
    made = read_bins(put(tmp_path, name, TEXTS[name]))
    assert made.start.tolist() == [0, 100, 200, 300]
    assert made.end.tolist() == [100, 200, 300, 400]
    assert made.depth == pytest.approx(DEPTH, rel=1e-6)
    assert (list(made.contigs), made.sample, made.mask.all()) == (["chr1"], "s", True)


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("s.regions.bed.gz", "mosdepth"),
        ("s.bedgraph", "bedgraph"),
        ("s.bdg", "bedgraph"),
        ("s.wig", "wig"),
        ("s.wig.gz", "wig"),
        ("s.targetcoverage.cnn", "cnvkit"),
    ],
)
def test_what_a_file_holds_decides_not_its_name(tmp_path, name, format):
    assert detect_format(put(tmp_path, name, TEXTS[name])) == format
    if format != "mosdepth":
        end = ".gz" if name.endswith(".gz") else ""
        assert detect_format(put(tmp_path, f"data.txt{end}", TEXTS[name])) == format


def test_samples_are_called_after_their_files():
    assert sample_name("/x/TR_55_T.antitargetcoverage.cnn.gz") == "TR_55_T"
    assert sample_name("NA12878.sorted.bam") == "NA12878"
    assert sample_name("a.b.regions.bed.gz") == "a.b"
    assert sample_name(".bed") == ".bed"


def test_wig_positions_count_from_one_and_steps_may_leave_gaps(tmp_path):
    text = "fixedStep chrom=2 start=11 step=50 span=20\n1\nNaN\n3\nfixedStep chrom=3 start=1 step=5\n4\n"
    made = read_bins(put(tmp_path, "a.wig", text))
    assert made.start.tolist() == [10, 60, 110, 0]
    assert made.end.tolist() == [30, 80, 130, 1]
    assert made.mask.tolist() == [True, False, True, True]
    assert made.chrom.tolist() == ["2", "2", "2", "3"]


def test_a_section_without_values_keeps_its_contig(tmp_path):
    text = "fixedStep chrom=1 start=1 step=5 span=5\n4\nfixedStep chrom=Y start=1 step=5 span=5\n"
    made = read_bins(put(tmp_path, "a.wig", text))
    assert list(made.contigs) == ["1", "Y"]
    assert "no bins on Y" in made.notes


def test_a_wig_that_comes_in_pieces_is_read_as_one(tmp_path, monkeypatch):
    import zoo_copy_number.readers.wig as wig

    values = np.random.default_rng(0).integers(0, 99, 500)
    text = "fixedStep chrom=1 start=1 step=10 span=10\n" + "".join(f"{v}\n" for v in values)
    whole = wig.read_chunks
    monkeypatch.setattr(wig, "read_chunks", lambda path: whole(path, 37))
    made = read_bins(put(tmp_path, "a.wig", text))
    assert made.depth.tolist() == values.tolist()
    assert made.start.tolist() == list(range(0, 5000, 10))


# Averages


def test_uneven_runs_are_averaged_by_their_bases(tmp_path):
    runs = [("1", 0, 150, 4), ("1", 150, 160, 10), ("1", 160, 300, 0), ("2", 50, 100, 8)]
    made = read_bins(put(tmp_path, "a.bedgraph", lines(runs)), bin_size=100)
    # 0 to 100: 4; 100 to 200: 50 x 4 + 10 x 10 over 100; 2 is known in half of its bin.
    assert made.depth.tolist() == [4, 3, 0, 8]
    assert made.chrom.tolist() == ["1", "1", "1", "2"]


def test_bases_without_a_run_are_zero_only_where_the_file_writes_no_zeros(tmp_path):
    runs = [("1", 0, 60, 5), ("1", 100, 140, 5)]
    none = read_bins(put(tmp_path, "a.bedgraph", lines(runs)), bin_size=100)
    assert none.depth.tolist() == pytest.approx([3, 5])
    assert any("count as 0" in n for n in none.notes)
    zeros = read_bins(put(tmp_path, "b.bedgraph", lines([*runs, ("1", 140, 200, 0)])), bin_size=100)
    assert zeros.depth.tolist() == pytest.approx([5, 2])
    assert not any("count as 0" in n for n in zeros.notes)
    few = read_bins(put(tmp_path, "c.bedgraph", lines([("1", 0, 40, 5), ("1", 100, 200, 0)])), bin_size=100)
    assert few.mask.tolist() == [False, True]


run_lists = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 25), st.integers(0, 9)), min_size=1, max_size=25)


@settings(max_examples=60, deadline=None)
@given(run_lists, st.integers(1, 90))
def test_averages_are_those_of_an_array_of_bases(tmp_path_factory, found, size):
    runs, at = [], 0
    for width, gap, depth in found:
        runs.append(("1", at + gap, at + gap + width, depth))
        at += gap + width
    bases = np.full(at, np.nan)
    for _, a, b, d in runs:
        bases[a:b] = d
    if not (bases == 0).any():
        bases = np.nan_to_num(bases)
    expected = []
    for a in range(0, at, size):
        part = bases[a : a + size]
        known = part[~np.isnan(part)]
        expected.append(known.mean() if 2 * len(known) >= len(part) else np.nan)
    made = read_bins(put(tmp_path_factory.mktemp("runs"), "a.bedgraph", lines(runs)), bin_size=size)
    assert made.depth == pytest.approx(np.array(expected, np.float32), nan_ok=True, rel=1e-5)
    assert made.end[-1] == at


def test_runs_are_averaged_over_targets_of_another_spelling(tmp_path):
    depth = put(tmp_path, "a.bedgraph", lines(windows("1", [1, 2, 3, 0])))
    targets = put(tmp_path, "t.bed", lines([("chr1", 150, 250), ("chr1", 50, 100), ("chr1", 90, 110), ("chr9", 0, 9)]))
    made = read_bins(depth, targets=targets)
    assert made.start.tolist() == [50, 150, 0]
    assert made.end.tolist() == [110, 250, 9]
    assert made.depth[:2] == pytest.approx([(50 + 20) / 60, 2.5])
    assert made.mask.tolist() == [True, True, False]
    assert any("1 targets of t.bed overlap another" in n for n in made.notes)


def test_uneven_runs_taken_as_bins_are_noted(tmp_path):
    runs = [("1", 0, 100, 5), ("1", 100, 200, 5), ("1", 200, 300, 2), ("1", 300, 307, 1)]
    assert any("1 of 4 runs are not 100 bp" in n for n in read_bins(put(tmp_path, "a.bedgraph", lines(runs))).notes)


@pytest.mark.parametrize("name", ["a.bw", "a.bigWig", "track.data"])
def test_bigwig_by_any_name(tmp_path, name):
    runs = [("chr1", 0, 150, 4.0), ("chr1", 150, 200, 0.0), ("chr1", 230, 400, 8.0), ("chr2", 0, 50, 1.0)]
    path = write_bigwig(tmp_path / name, {"chr1": 430, "chr2": 50}, runs)
    made = read_bins(path, bin_size=100)
    # Bases 200 to 230 and 400 to 430 have no value, and the file has zeros: they are unknown.
    assert made.depth == pytest.approx([4, 2, 8, 8, np.nan, 1], nan_ok=True)
    assert made.end.tolist() == [100, 200, 300, 400, 430, 50]
    assert made.sizes == {"chr1": 430, "chr2": 50}
    with pytest.raises(ConfigError, match="a value a base, not bins: give a bin size"):
        read_bins(path)


def test_damaged_bigwigs_are_refused_even_where_the_library_panics(tmp_path, capfd):
    runs = [("chr1", i * 10, i * 10 + 10, float(i % 50)) for i in range(20_000)]
    whole = write_bigwig(tmp_path / "a.bw", {"chr1": 200_000}, runs).read_bytes()
    at = len(whole) // 3
    for damaged in (whole[: len(whole) // 2], whole[:at] + b"\xff" * 400 + whole[at + 400 :]):
        path = put(tmp_path, "b.bw", damaged)
        with pytest.raises(DataError, match=r"cannot be read as bigWig .*: it is damaged or cut off, fetch it again"):
            read_bins(path, bin_size=1000)
    capfd.readouterr()


@pytest.mark.parametrize("seed", range(40))
def test_a_bigwig_with_a_few_wrong_bits_is_read_or_refused(tmp_path, seed, capfd):
    """A number that the library would allocate ends the process, so every one is compared with the file first."""
    runs = [("chr1", i * 10, i * 10 + 10, float(i % 50)) for i in range(300)]
    data = bytearray(write_bigwig(tmp_path / "a.bw", {"chr1": 3_000}, runs).read_bytes())
    rng = np.random.default_rng(seed)
    for at in rng.integers(4, len(data), 3):
        data[at] ^= 1 << rng.integers(8)
    try:
        read_bins(put(tmp_path, "b.bw", bytes(data)), bin_size=100)
    except DataError as error:
        assert str(error).count("\n") == 0  # noqa: PT017
    assert "panicked" not in capfd.readouterr().err


# Alignments


FLAGS = {"secondary": 0x100, "qc": 0x200, "duplicate": 0x400, "supplementary": 0x800}


def write_bam(path, reads, sizes=None, sample="NA1", index=True):
    """reads: (contig index, start, CIGAR, mapping quality, flag)."""
    sizes = sizes or {"chr1": 1_000, "chrM": 300, "chrY": 250}
    header = {"HD": {"VN": "1.6", "SO": "coordinate"}, "SQ": [{"SN": c, "LN": n} for c, n in sizes.items()]}
    header["RG"] = [{"ID": "a", "SM": sample}]
    mode = "wc" if path.suffix == ".cram" else "wb"
    fasta = path.with_suffix(".fa")
    if mode == "wc":
        fasta.write_text("".join(f">{c}\n{'A' * n}\n" for c, n in sizes.items()))
    named = {"reference_filename": str(fasta)} if mode == "wc" else {}
    with pysam.AlignmentFile(str(path), mode, header=header, **named) as out:
        for i, (contig, start, cigar, quality, flag) in enumerate(sorted(reads)):
            read = pysam.AlignedSegment(out.header)
            read.query_name, read.reference_id, read.reference_start = f"r{i}", contig, start
            read.cigarstring, read.mapping_quality, read.flag = cigar, quality, flag
            read.query_sequence = "A" * read.infer_query_length()
            out.write(read)
    if index:
        pysam.index(str(path))
    return path


READS = [
    (0, 0, "100M", 60, 0),
    (0, 50, "100M", 60, 16),
    (0, 210, "20M50D30M", 10, 0),
    (0, 290, "5S20M1000N10M", 60, 0),
    (1, 0, "300M", 60, 0),
    *((0, 0, "100M", 60, f) for f in FLAGS.values()),
]


@pytest.mark.parametrize("name", ["a.bam", "a.cram"])
def test_depth_is_that_of_the_aligned_bases(tmp_path, monkeypatch, name):
    monkeypatch.setenv("REF_PATH", str(tmp_path / "nowhere"))
    path = write_bam(tmp_path / name, [r for r in READS if r[1] != 290])
    for reference in tmp_path.glob("*.fa*"):  # the bases of a CRAM are not needed
        reference.unlink()
    made = read_bins(path, bin_size=100)
    assert len(made) == 10 + 3 + 3
    assert made.on("chr1").depth.tolist() == pytest.approx([1.5, 0.5, 0.4, 0.1, *[0] * 6])
    assert made.on("chrM").depth.tolist() == [1, 1, 1]
    assert made.on("chrY").end.tolist() == [100, 200, 250]
    assert (made.sample, made.sizes) == ("NA1", {"chr1": 1_000, "chrM": 300, "chrY": 250})
    assert "no depth above 0 on chrY" in made.notes
    assert made.origin["reader"] == name[2:]


def test_skipped_bases_do_not_count_and_mapping_quality_can_be_asked_for(tmp_path):
    path = write_bam(tmp_path / "a.bam", READS)
    assert read_bins(path, bin_size=100).on("chr1").depth[2:4] == pytest.approx([0.5, 0.2])
    strict = read_bins(path, bin_size=100, min_mapq=20)
    assert strict.on("chr1").depth[2:4] == pytest.approx([0.1, 0.1])
    assert "mapping quality 20" in strict.origin["unit"]


def test_targets_are_counted_alone_and_cut(tmp_path):
    path = write_bam(tmp_path / "a.bam", READS)
    targets = put(tmp_path, "t.bed", lines([("M", 0, 300), ("1", 40, 60), ("1", 140, 160)]))
    made = read_bins(path, targets=targets, bin_size=150)
    assert list(made.contigs) == ["chr1", "chrM"]
    assert made.start.tolist() == [40, 140, 0, 150]
    assert made.depth.tolist() == pytest.approx([1.5, 0.5, 1, 1])
    wrong = put(tmp_path, "w.bed", lines([("chr1", 900, 1_100)]))
    with pytest.raises(GenomeMismatch, match=r"targets on chr1 up to 1,100, in .*, which has 1,000 bp"):
        read_bins(path, targets=wrong)
    with pytest.raises(GenomeMismatch, match="which it does not have"):
        read_bins(path, targets=put(tmp_path, "v.bed", lines([("chr7", 0, 10)])))


def test_reads_across_the_borders_of_what_is_fetched_count_once(tmp_path, monkeypatch):
    import zoo_copy_number.readers.alignments as alignments

    monkeypatch.setattr(alignments, "_SPAN", 128)
    rng = np.random.default_rng(1)
    reads = [(0, int(s), "90M", 60, 0) for s in rng.integers(0, 910, 200)]
    bases = np.zeros(1_000)
    for _, s, *_ in reads:
        bases[s : s + 90] += 1
    made = read_bins(write_bam(tmp_path / "a.bam", reads), bin_size=50)
    assert made.on("chr1").depth == pytest.approx(bases.reshape(-1, 50).mean(1))


def test_alignments_that_cannot_be_counted_are_refused(tmp_path):
    path = write_bam(tmp_path / "a.bam", READS)
    with pytest.raises(ConfigError, match=r"holds reads, not bins: give a bin size \(such as 1000\) or a BED file"):
        read_bins(path)
    with pytest.raises(DataError, match=r"would have 2,000,000,000 bins of 1 bp, at most .*: choose larger ones"):
        read_bins(write_bam(tmp_path / "big.bam", [], {"c": 2_000_000_000}, index=True), bin_size=1)
    with pytest.raises(DataError, match=r"has no index: run `samtools index .*n.bam`"):
        read_bins(write_bam(tmp_path / "n.bam", READS, index=False), bin_size=100)
    whole = path.read_bytes()
    for cut in (whole[:-28], whole[: len(whole) // 2]):
        bad = put(tmp_path, "cut.bam", cut)
        (tmp_path / "cut.bam.bai").write_bytes((tmp_path / "a.bam.bai").read_bytes())
        with pytest.raises(DataError, match=r"cut off.*fetch it again"):
            read_bins(bad, bin_size=100)
    (tmp_path / "g.fa").write_text(">chr1\n" + "ACGT" * 300 + "\n")
    with pytest.raises(GenomeMismatch, match="chr1 of NA1 has 1,000 bp, in genome 'g' 1,200"):
        read_bins(path, bin_size=100, fasta=tmp_path / "g.fa")


# GC, N and mappability


@pytest.fixture
def genome(tmp_path):
    rng = np.random.default_rng(7)
    sequence = np.array(list("ACGT"))[rng.integers(0, 4, 1_000)]
    sequence[300:460] = "N"
    (tmp_path / "g.fa").write_text(">1 first\n" + "".join(sequence[:950]) + "\n>2\n" + "C" * 120 + "\n")
    return tmp_path / "g.fa", sequence[:950]


def test_gc_is_the_share_among_known_bases_and_bins_of_n_are_masked(tmp_path, genome):
    fasta, sequence = genome
    rows = [*windows("chr1", [5.0] * 10), *windows("chr2", [5.0, 5.0]), *windows("chr3", [5.0])]
    made = read_bins(put(tmp_path, "a.bedgraph", lines(rows)), fasta=fasta)
    for i in range(10):
        part = sequence[i * 100 : (i + 1) * 100]
        known = part[part != "N"]
        share = np.isin(known, ["G", "C"]).mean() if len(known) else np.nan
        assert made.gc[i] == pytest.approx(share, nan_ok=True)
    assert made.gc[10:].tolist() == pytest.approx([1, 1, np.nan], nan_ok=True)
    assert np.flatnonzero(~made.mask).tolist() == [3, 4]
    assert made.end[9] == 950
    assert made.sizes == {"chr1": 950, "chr2": 120}
    assert made.origin["gc"] == "g"
    assert any("does not have chr3" in n for n in made.notes)


def test_bins_past_the_end_of_a_contig_are_another_assembly(tmp_path, genome):
    rows = windows("1", [5.0] * 12)
    with pytest.raises(GenomeMismatch, match="3 bins of a lie past the end of 1, 950 bp in genome 'g'"):
        read_bins(put(tmp_path, "a.bedgraph", lines(rows)), fasta=genome[0])


def test_without_a_genome_gc_is_unknown_and_said_to_be(tmp_path):
    made = read_bins(put(tmp_path, "a.bedgraph", lines(windows())))
    assert np.isnan(made.gc).all()
    assert "GC is unknown: give a FASTA file (--fasta), or a track of GC (--gc)" in made.notes


def test_a_track_of_gc_has_minus_one_where_it_is_unknown(tmp_path):
    gc = put(tmp_path, "gc.wig", "fixedStep chrom=1 start=1 step=100 span=100\n0.4\n-1\n0.6\n")
    made = read_bins(put(tmp_path, "a.bedgraph", lines(windows())), gc=gc)
    assert made.gc == pytest.approx([0.4, np.nan, 0.6, np.nan], nan_ok=True)
    assert "GC is unknown in 2 of 4 bins" in made.notes
    percent = put(tmp_path, "p.wig", "fixedStep chrom=1 start=1 step=100 span=100\n40\n")
    with pytest.raises(DataError, match=r"holds 40, a share goes from 0 to 1: write 41 % as 0\.41"):
        read_bins(put(tmp_path, "a.bedgraph", lines(windows())), gc=percent)


def test_mappability_from_bigwig_bedgraph_and_bed(tmp_path):
    runs = [("1", 0, 150, 1.0), ("1", 150, 300, 0.0), ("1", 300, 400, 0.25)]
    tracks = [
        write_bigwig(tmp_path / "m.bw", {"1": 400}, runs),
        put(tmp_path, "m.bedgraph.gz", lines(runs)),
        put(tmp_path, "m.bed", lines([("1", 0, 150), ("1", 300, 325)])),
    ]
    depth = put(tmp_path, "a.bedgraph", lines([*windows(), ("chr5", 0, 100, 1)]))
    for track in tracks:
        made = read_bins(depth, mappability=track)
        assert made.mappability == pytest.approx([1, 0.5, 0, 0.25, np.nan], nan_ok=True)
        assert made.mask.tolist() == [True, True, False, False, True]
        assert "mappability is unknown in 1 of 5 bins" in made.notes
    other = put(tmp_path, "o.bed", lines([("chr7", 0, 150)]))
    with pytest.raises(DataError, match="says nothing of any bin of a, it has contigs chr7"):
        read_mappability(made, other)


# CNVkit


def cnn(rows, columns=("gene", "log2")):
    return "\t".join(("chromosome", "start", "end", *columns)) + "\n" + lines(rows)


TARGET = [("chr1", 1_000, 1_200, "G", 9.0), ("chr1", 9_000, 9_200, "G", 8.0), ("chrX", 50, 90, "H", -20)]
OFF = [("chr1", 2_000, 8_000, "Antitarget", -2.0), ("chrX", 100, 9_000, "Background", -3.0)]


def test_targets_and_off_target_bins_of_a_sample_are_one(tmp_path):
    target = put(tmp_path, "S1.targetcoverage.cnn", cnn(TARGET))
    off = put(tmp_path, "S1.antitargetcoverage.cnn.gz", cnn(OFF))
    made = read_bins([target, off])
    assert made.sample == "S1"
    assert made.start.tolist() == [1_000, 2_000, 9_000, 50, 100]
    assert made.kind.tolist() == [0, 1, 0, 0, 1]
    assert made.depth.tolist() == [512, 0.25, 256, 0, 0.125]
    other = put(tmp_path, "S2.antitargetcoverage.cnn", cnn(OFF))
    with pytest.raises(ConfigError, match="samples S1, S2 cannot be one sample"):
        read_bins([target, other])
    with pytest.raises(ConfigError, match="those of its kit: leave bin size"):
        read_bins(target, bin_size=1_000)


def reference_rows():
    both = [(*r[:4], 0.5 + i, 0.4, 0.1 * (i + 1)) for i, r in enumerate([*TARGET, *OFF])]
    return [("1" if r[0] == "chr1" else "X", *r[1:]) for r in both]


def test_a_pooled_reference_is_joined_on_identical_bins_and_centred_by_kind(tmp_path):
    reference = put(tmp_path, "pool.cnn", cnn(reference_rows(), ("gene", "log2", "gc", "spread")))
    paths = [put(tmp_path, "S1.targetcoverage.cnn", cnn(TARGET)), put(tmp_path, "S1.antitargetcoverage.cnn", cnn(OFF))]
    made = read_bins(paths, reference=reference)
    # Targets have 0.5, 1.5, 2.5 (median 1.5), off-target bins 3.5 and 4.5 (median 4).
    assert made.reference.tolist() == [-1, -0.5, 0, 1, 0.5]
    assert made.spread == pytest.approx([0.1, 0.4, 0.2, 0.3, 0.5])
    assert made.gc == pytest.approx([0.4] * 5)
    assert (made.origin["gc"], made.origin["reference"]) == ("pool.cnn", "pool.cnn")


def test_a_reference_of_another_kit_is_refused(tmp_path):
    moved = [(r[0], r[1] + (i > 0), *r[2:]) for i, r in enumerate(reference_rows())]
    reference = put(tmp_path, "pool.cnn", cnn(moved, ("gene", "log2", "gc", "spread")))
    sample = put(tmp_path, "S1.targetcoverage.cnn", cnn(TARGET))
    with pytest.raises(DataError, match=r"1 of 3 bins of S1 are in the reference .*, 90% are needed: another kit"):
        read_bins(sample, reference=reference)
    with pytest.raises(DataError, match="it is a pooled reference and no sample: give it as reference"):
        read_bins(reference)
    with pytest.raises(DataError, match="has no column spread: a pooled reference is made by"):
        read_bins(sample, reference=sample)
    twice = put(tmp_path, "twice.cnn", cnn([*reference_rows(), reference_rows()[0]], ("gene", "log2", "gc", "spread")))
    with pytest.raises(DataError, match=r"two bins of the reference .* begin at 1:1,000"):
        read_bins(sample, reference=twice)


def test_a_corrected_cnr_is_read_by_its_depth(tmp_path):
    rows = [("1", 0, 100, "G", -1.5, 40.0, 0.9), ("1", 100, 200, "Antitarget", 0.1, 0.5, 0.8)]
    made = read_bins(put(tmp_path, "a.cnr", cnn(rows, ("gene", "log2", "depth", "weight"))))
    assert (made.depth.tolist(), made.kind.tolist()) == ([40, 0.5], [0, 1])
    assert any("corrected already" in n for n in made.notes)


# Bad input


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.bedgraph", "", "is empty: it should hold read depth"),
        ("a.bedgraph", "#only a comment\n", "holds no bins"),
        ("a.bedgraph.gz", "", "holds no bins"),
        ("a.txt", "To be or not to be\n", "no file of read depth, its line 1, 'To be or not to be'"),
        ("a.txt", b"\x00\x01\x02\x03" * 9, "zero byte"),
        ("a.txt", b"PK\x03\x04zip", "zip archive"),
        ("a.sam", "@HD\tVN:1.6\n", "SAM text: sort, compress and index it"),
        ("a.vcf", "##fileformat=VCFv4.3\n", "a VCF: give the depth it was called from"),
        ("a.fa", ">chr1\nACGT\n", "a FASTA file: give it as fasta"),
        ("a.bed", "chr1\t0\t10\tname\t960\t+\n", "none of contig, start, end, value"),
        ("a.bed", "chr1\t0\t10\tname\t960\n", "5 columns, of which the last may be a score, a count or a depth"),
        ("s.quantized.bed", "chr1\t0\t10\t0:1\n", "mosdepth's quantized file"),
        (
            "s.thresholds.bed.gz",
            "#chrom\tstart\tend\tregion\t1X\t10X\nchr1\t0\t10\texon\t10\t7\n",
            "mosdepth's thresholds file, bases at or above a depth: give its regions.bed.gz",
        ),
        ("a.bedgraph", "1\t0\t10\t5\n1\t5\t15\t5\n", "bins 1:0-10 and 5-15 overlap: merge the targets"),
        ("a.bedgraph", "1\t0\t10\t5\n1\t10\t20\t-5\n", "1:10: depth -5 is negative"),
        ("a.bedgraph", "1\t0\t10\t5\n1\t0\t10\t6\n", "comes twice, with depth 5 and 6"),
        ("a.bedgraph", "1\t0\t10\t5\n1\t20\t20\t6\n", "end 20 is not after start 20"),
        ("a.bedgraph", "1\t0\t10\t5\n1\t10\t20\n", "line 2 has 3 columns, the first row has 4"),
        ("a.bedgraph", "1\t0\t10\t5\n1\t10\t20\t5\t6\n", "line 2 has 5 columns, the first row has 4"),
        ("a.bedgraph", "1\t0\t10\t5\n1\t1.5\t20\t5\n", "line 2, column 2 .start.: '1.5' is no whole number"),
        ("a.bedgraph", "1\t0\t10\t5\n1\t-5\t0\t5\n", "outside any contig|whole number"),
        ("a.bedgraph", "1\t0\t10\t5\n1\t10\t20\tdeep\n", "line 2, column 4 .depth.: 'deep' is no number"),
        ("a.bedgraph", "1\t0\t10\t5\n1\t10\t20\tinf\n", "no finite number"),
        ("a.wig", "fixedStep chrom=1 start=1 step=5 span=5\n1e100\n", r"depth 1e\+100 is no finite number"),
        ("a.cnn", "chromosome\tstart\tend\tgene\tlog2\n1\t0\t9\tG\t5000\n", "depth inf is no finite number"),
        ("a.bedgraph", "1\t0\t10\t5\n\t10\t20\t5\n", "line 2 names no contig"),
        ("a.bedgraph", "1\t0\t10\t5\n1\t10\t99999999999999999999\t5\n", "no whole number"),
        ("a.wig", "5\nfixedStep chrom=1 start=1 step=5 span=5\n", "none of contig|before any"),
        ("a.wig", "fixedStep start=1 step=5 span=5\n4\n", "line 1: .* names no chrom"),
        ("a.wig", "fixedStep chrom=1 start=0 step=5 span=5\n4\n", "start '0' must be a whole number from 1 on"),
        ("a.wig", "fixedStep chrom=1 step=5 span=5\n4\n", "start '' must be a whole number"),
        ("a.wig", "fixedStep chrom=1 start=1 step=5 span=9\n4\n", "span 9 is more than step 5, values overlap"),
        ("a.wig", "fixedStep chrom=1 start=1 step=5 span=5\n4\nx\n", "line 3: 'x' is no finite number"),
        ("a.wig", "fixedStep chrom=1 start=1 step=5 span=5\n4 5\n", "line 2: '4 5' must be one value"),
        ("a.wig", "fixedStep chrom=1 start=1 step=5 span=5\n4\ninf\n", "line 3: 'inf' is no finite number"),
        ("a.wig", "variableStep chrom=1 span=5\n1 4\n6\n", "line 3: '6' must be a position and a value"),
        ("a.wig", "variableStep chrom=1 span=5\n1 4\n3 4\n", "overlap"),
        ("a.wig", "variableStep chrom=1 span=5\nx 4\n", "line 2: position 'x' is no whole number"),
        ("a.wig", "fixedStep chrom=1 start=1 step=5 span=5\n-1\n", "depth -1 is negative"),
        ("a.cnn", "chromosome\tstart\tend\tgene\n1\t0\t9\tG\n", "neither depth nor log2"),
        ("a.cnn", "chromosome\tstart\tend\tgene\tlog2\n", "holds no bins"),
        ("a.cnn", "chromosome\tstart\tend\tlog2\tlog2\n1\t0\t9\t1\t2\n", "names a column twice"),
    ],
)
def test_bad_files_are_refused_in_words_that_help(tmp_path, name, text, message):
    with pytest.raises(DataError, match=message):
        read_bins(put(tmp_path, name, text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\t0\t10\t5\n1\t5\t15\t5\n", "value 5 at 1:5-15 is of an interval that overlaps the one before"),
        ("1\t5\t15\t5\n1\t0\t10\t5\n", "its runs overlap, so that bases count twice"),
        ("1\t0\t10\t-5\n", "value -5 at 1:0-10 is negative"),
        ("1\t0\t10\t1\n1\t10\t20\tinf\n", "no finite number"),
        ("1\t10\t10\t1\n", "empty or outside"),
        ("1\t0\t999999999999\t1\n", "more than 67,108,864 bins of 10 bp: choose larger ones"),
    ],
)
def test_bad_runs_are_refused_while_they_are_averaged(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read_bins(put(tmp_path, "a.bedgraph", text), bin_size=10)


def test_a_file_that_was_cut_off_is_refused(tmp_path):
    rng = np.random.default_rng(3)
    whole = gzip.compress(lines(windows(depth=rng.random(5_000).round(6).tolist())).encode())
    for name in ("a.regions.bed.gz", "a.bedgraph.gz"):
        with pytest.raises(DataError, match="ends in the middle of its gzip stream: fetch it again"):
            read_bins(put(tmp_path, name.removesuffix(".gz"), whole[: len(whole) // 2]))


def test_missing_files_and_wrong_options_are_said(tmp_path):
    path = put(tmp_path, "a.bedgraph", lines(windows()))
    with pytest.raises(DataError, match="does not exist"):
        read_bins(tmp_path / "no.bam", bin_size=10)
    with pytest.raises(ConfigError, match="no format 'bedgraf' of read depth: did you mean 'bedgraph'"):
        read_bins(path, format="bedgraf")
    with pytest.raises(ConfigError, match="bin size 0 must be 1 bp or more"):
        read_bins(path, bin_size=0)
    with pytest.raises(ConfigError, match="no file of read depth"):
        read_bins([])
    with pytest.raises(ConfigError, match="which holds no track"):
        read_bins(path, mappability=put(tmp_path, "a.cnn", cnn(TARGET)))


def test_a_line_without_end_is_refused_before_it_fills_memory(tmp_path, monkeypatch):
    import zoo_copy_number.readers.text as text

    monkeypatch.setattr(text, "_LONGEST_LINE", 1_000)
    with pytest.raises(DataError, match="a line of more than 1,000 bytes"):
        read_bins(put(tmp_path, "a.bedgraph", "1\t0\t10\t5\n" + "1" * 5_000))


@settings(max_examples=150, deadline=None)
@given(
    st.text(alphabet="chr1 \t\n0123456789.-eXfixedStp=\r#", max_size=120),
    st.sampled_from(["a.bedgraph", "a.wig", "a.cnn"]),
)
@example("\t0.\r0", "a.bedgraph")
def test_any_text_is_read_or_refused_as_a_users_mistake(tmp_path_factory, text, name):
    start = {"a.bedgraph": "1\t0\t9\t3\n", "a.wig": "fixedStep chrom=1 start=1 step=9 span=9\n3\n"}
    path = put(tmp_path_factory.mktemp("any"), name, start.get(name, cnn(TARGET)) + text)
    try:
        made = read_bins(path)
    except DataError as error:
        message = str(error)
    else:
        assert len(made) >= 1
        return
    assert name in message or "of a " in message


# Log2 ratios


PROBES = [(f"rs{i}", "1" if i < 60 else "X", 1_000 + 2_500 * i, round(-1.0 if i < 20 else 0.0, 3)) for i in range(100)]


@pytest.mark.parametrize(
    ("header", "separator"),
    [
        (("Name", "Chr", "Position", "S1.Log R Ratio"), "\t"),
        (("Probe Set Name", "Chromosome", "Chromosomal Position", "Log2Ratio"), None),
        (("SNP", "chrom", "pos", "LRR"), ","),
        (("ID", "CHR", "MAPINFO", "log2_ratio"), "\t"),
    ],
)
def test_probes_of_an_array_are_averaged_in_bins(tmp_path, header, separator):
    if separator is None:
        header, separator = ("Probe", "Chromosome", "Physical Position", "Log2Ratio"), "\t"
    rows = [*PROBES, ("cnv1", "0", 0, 0.2), ("cnv2", "1", 70_000, "NaN")]
    text = "\n".join(separator.join(map(str, r)) for r in (header, *rows)) + "\n"
    path = put(tmp_path, "a.txt", text)
    assert detect_format(path) == "array"
    made = read_bins(path, bin_size=10_000)
    assert made.on("1").depth[:2].tolist() == [0.5, 0.5]
    assert made.on("X").depth.tolist() == pytest.approx([1.0] * len(made.on("X")))
    assert any("1 probes without a place" in n for n in made.notes)
    with pytest.raises(ConfigError, match="log2 ratios of probes, not bins: give a bin size"):
        read_bins(path)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.cns", "chromosome\tstart\tend\tgene\tlog2\tdepth\tprobes\tweight\n1\t0\t9\tG\t0\t1\t3\t1\n", "segments"),
        (
            "a.call.cns",
            "chromosome\tstart\tend\tgene\tlog2\tcn\n1\t0\t9\tG\t0\t2\n",
            r"\(.cns\), .*: give the .cnr",
        ),
        (
            "a.seg",
            "ID\tchrom\tloc.start\tloc.end\tnum.mark\tseg.mean\ns\t1\t1\t9\t3\t0.1\n",
            "calls already: give the depth",
        ),
        (
            "a.txt",
            "Aliquot\tChromosome\tStart\tEnd\tNum_Probes\tSegment_Mean\nx\t1\t1\t9\t3\t0.1\n",
            "calls already",
        ),
        ("a.txt", "[Header]\nGSGT Version\t1.9\n", "GenomeStudio: save the Chr, Position and Log R Ratio"),
        ("a.txt", "Chr\tPosition\tLRR\n1\t5\tdeep\n", "line 2: log2 ratio 'deep' is no number"),
        ("a.txt", "Chr\tPosition\tLRR\n1\t-5\t0.1\n", "line 2: position '-5' is no whole number"),
        ("a.txt", "Chr\tPosition\tLRR\n1\t5\n", "line 2 has 2 columns, the header has 3"),
        ("a.txt", "Chr\tPosition\tLRR\n", "holds no bins"),
    ],
)
def test_other_log2_files_are_named_with_what_to_give(tmp_path, name, text, message):
    with pytest.raises(DataError, match=message):
        read_bins(put(tmp_path, name, text), bin_size=None if "cns" in name else 1_000)


def test_depth_by_base_needs_a_bin_size(tmp_path):
    path = put(tmp_path, "a.per-base.bed.gz", lines([("1", 0, 7, 5), ("1", 7, 100, 6)]))
    with pytest.raises(ConfigError, match="a value a base, not bins: give a bin size"):
        read_bins(path)
    assert read_bins(path, bin_size=50).depth.tolist() == pytest.approx([(7 * 5 + 43 * 6) / 50, 6])


# Damage


def test_every_way_in_which_gzip_is_damaged_is_said(tmp_path):
    whole = gzip.compress(lines(windows(depth=[7.0] * 300)).encode())
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 4
    wrong_sum = whole[:-8] + b"\x00\x01\x02\x03" + whole[-4:]
    for data in (bytes(flipped), wrong_sum, whole[:40], whole[:8], whole + b"garbage", whole[:10] + b"\xff" * 40):
        for name in ("a.bedgraph.gz", "a.regions.bed.gz", "a.wig.gz", "a.cnr.gz", "a.txt.gz", "a.bam"):
            (tmp_path / name).write_bytes(data)
            with pytest.raises(DataError, match=r"is damaged \(.*\): fetch it again|fetch it again, it was cut off"):
                read_bins(tmp_path / name)
    packed = tmp_path / "b.bed"
    packed.write_text(lines(windows()))
    pysam.tabix_compress(str(packed), str(tmp_path / "b.bedgraph.gz"), force=True)
    (tmp_path / "c.bedgraph.gz").write_bytes((tmp_path / "b.bedgraph.gz").read_bytes()[:-28])
    with pytest.raises(DataError, match="lacks the block that ends a BGZF file: fetch it again"):
        read_bins(tmp_path / "c.bedgraph.gz")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "a.wig",
            "variableStep chrom=X span=10\n1 5\n" + "9" * 26 + " 6\n",
            "line 3: position '9+' is no whole",
        ),
        ("a.wig", "variableStep chrom=X span=10\n0 5\n", "line 2: position '0' is no whole number from 1 on"),
        ("a.wig", "variableStep chrom=X span=10\n-7 5\n", "line 2: position '-7' is no whole"),
        ("a.wig", "fixedStep chrom=X start=1 step=10 span=10\n5\n-\n6\n", "line 3: '-' is no finite number"),
        ("a.wig", "fixedStep chrom=X start=1 step=10 span=10\n5\n\x1c\n6\n", "line 3: '.x1c' is no finite number"),
        ("a.wig", "fixedStep chrom=X start=1 step=10 span=10\n5\n6\x1f\n", r"line 3: '6.x1f' is no finite number"),
        ("a.wig", "fixedStep chrom=X start=1 step=10 span=10\n1_0\n", "line 2: '1_0' is no finite number"),
        ("a.wig", "fixedStep chrom=X start=1 step=0 span=10\n5\n", "line 1: step '0' must be a whole number"),
        ("a.wig", "fixedStep chrom=X step=10 span=10\n5\n", "line 1: start '' must be"),
        ("a.bedgraph", "1\t0\t10\t5\n1\t30\t20\t6\n", "line 2, bin at 1:30: end 20 is not after start 30"),
        ("a.bedgraph", "1\t0\t10\t5\n1\t5\t20\t6\n", "line 2: bins 1:0-10 and 5-20 overlap"),
        ("a.bedgraph", "1\t0\t10\t5\n1\t10\t20\t-6\n", "line 2, bin at 1:10: depth -6 is negative"),
        ("a.cnr", "chromosome\tend\tgene\tlog2\n1\t9\tG\t1\n", "no file of read depth|no column 'start'"),
        ("a.cnr", "chromosome\tstart\tend\tgene\tlog2\n1\t0\t9\tG\n", "line 2 has 4 columns, the first row has 5"),
    ],
)
def test_damaged_text_is_refused_with_its_line(tmp_path, name, text, message):
    path = put(tmp_path, name, text)
    with pytest.raises(DataError, match=message) as refused:
        read_bins(path)
    assert str(path) in str(refused.value)


def test_bins_past_the_end_of_a_contig_are_refused_by_its_genome(tmp_path, genome):
    path = put(tmp_path, "a.wig", "fixedStep chrom=2 start=1 step=500 span=500\n5\n6\n")
    with pytest.raises(GenomeMismatch, match="past the end of 2, 120 bp"):
        read_bins(path, fasta=genome[0])


MUTATED = [*TEXTS.items(), ("a.txt", "Name\tChr\tPosition\tLRR\n" + lines(PROBES[:30]))]
PIECES = [
    b"-",
    b"\0",
    b"\x1c",
    b"9" * 26,
    b"nan",
    b"inf",
    b"1e400",
    b"-1",
    b"\t",
    b"\n",
    b"\r",
    b"+5",
    b"1_0",
    b"\xff",
    b"NA",
]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(MUTATED), st.booleans(), st.data())
def test_any_damage_is_read_or_refused_in_one_sentence(tmp_path_factory, named, packed, data):
    """Bytes changed, put in, left out, cut and doubled, in the text or in what it is packed as."""
    name, text = named[0].removesuffix(".gz"), bytearray(named[1].encode())
    text = bytearray(gzip.compress(bytes(text))) if packed else text
    for _ in range(data.draw(st.integers(1, 3))):
        at, n = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, 12))
        new = data.draw(st.sampled_from([b"", bytes(text[at : at + n]), *PIECES]))
        text[at : at + data.draw(st.sampled_from([0, n, len(text)]))] = new
    path = tmp_path_factory.mktemp("damaged") / name
    path.write_bytes(gzip.compress(bytes(text)) if name.endswith("x") else bytes(text))
    for bin_size in (None, 150):
        message, n = "", 1
        try:
            n = len(read_bins(path, bin_size=bin_size))
        except (DataError, ConfigError) as error:
            message = str(error)
        assert n >= 1
        assert "\n" not in message


# Real files


@pytest.fixture(scope="module")
def readdepth():
    folder = Path(os.environ.get("ZOO_DATA", "")) / "readdepth"
    if not os.environ.get("ZOO_DATA") or not folder.is_dir():
        pytest.skip("ZOO_DATA has no readdepth")
    return folder


@pytest.mark.data
def test_real_exomes_show_the_sexes(readdepth):
    log2 = {}
    for name in ("male01", "female01"):
        made = read_bins(readdepth / "exome" / f"{name}.targetcoverage.cnn.gz")
        assert (len(made), list(made.contigs)) == (34_654, ["1", "X", "Y"])
        found = np.log2(np.where(made.depth > 0, made.depth, np.nan))
        log2[name] = (found - np.nanmedian(found[made.chrom == "1"]))[made.chrom == "X"]
    assert np.nanmedian(log2["male01"] - log2["female01"]) == pytest.approx(-1.008, abs=0.002)


@pytest.mark.data
@pytest.mark.parametrize(("name", "expected"), [("norm", 0.50), ("tum", -0.48)])
def test_real_wigs_show_their_gc_bias(readdepth, name, expected):
    folder = readdepth / "chr2_wig"
    made = read_bins(
        folder / f"test_{name}_chr2.wig.gz", gc=folder / "gc_chr2.wig.gz", mappability=folder / "map_chr2.wig.gz"
    )
    assert len(made) == 242_952
    assert np.isnan(made.gc).sum() == 5_264
    used = (made.depth > 0) & (made.mappability > 0.9) & ~np.isnan(made.gc)
    assert np.corrcoef(np.log2(made.depth[used]), made.gc[used])[0, 1] == pytest.approx(expected, abs=0.01)


@pytest.mark.data
def test_a_real_panel_and_its_reference(readdepth):
    folder = readdepth / "panel"
    parts = [folder / f"TR_55_T.{kind}coverage.cnn.gz" for kind in ("target", "antitarget")]
    made = read_bins(parts, reference=folder / "reference-tr.cnn.gz")
    assert np.bincount(made.kind).tolist() == [8_216, 19_434]
    assert not np.isnan(made.reference).any()
    assert not np.isnan(made.gc).any()
    with pytest.raises(DataError, match="6,035 of 19,089 bins of p2-20_1 are in the reference"):
        read_bins(readdepth / "exome" / "p2-20_1.cnr.gz", reference=folder / "reference-tr.cnn.gz")
