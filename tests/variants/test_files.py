"""Files of variants: every record comes out, whatever its form, or the file is refused by name."""

from __future__ import annotations

import gzip
import os
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zoo.data.genome import Genome
from zoo.data.intervals import read_intervals
from zoo.errors import ConfigError, DataError, GenomeMismatch, ZooError
from zoo.variants.files import read_variants
from zoo.variants.genotypes import read_genotypes
from zoo.variants.records import read_text
from zoo.variants.reference_check import AssemblyCheck
from zoo.variants.variants import STATUSES, Variants

LENGTH = 60_000
HEAD = (
    f"##fileformat=VCFv4.2\n##contig=<ID=chr1,length={LENGTH}>\n##contig=<ID=chrUn,length=7>\n"
    '##INFO=<ID=X,Number=1,Type=String,Description="x, length=3>">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
)


@pytest.fixture(scope="module")
def genome(tmp_path_factory) -> Genome:
    path = tmp_path_factory.mktemp("genome") / "g.fa"
    letters = "".join(np.random.default_rng(0).choice(list("ACGT"), LENGTH))
    path.write_text(f">chr1\n{letters}\n>2\nACGTACGTAC\n")
    return Genome(path)


@pytest.fixture(scope="module")
def lines(genome) -> list[str]:
    """19,000 SNVs, one a line."""
    letters = np.frombuffer(b"ACGTN", np.uint8)[genome.fetch("chr1", 0, LENGTH)].tobytes().decode()
    other = dict(zip("ACGT", "CGTA", strict=True))
    return [f"chr1\t{i + 1}\trs{i}\t{letters[i]}\t{other[letters[i]]}\t.\tPASS\tX=é{i}" for i in range(5, LENGTH, 3)][
        :19_000
    ]


def put(folder: Path, content: str | bytes, name: str = "x.vcf") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def text(lines: list[str], head: str = HEAD) -> str:
    return head + "".join(f"{line}\n" for line in lines)


def bgzip(folder: Path, content: str) -> Path:
    put(folder, content, "plain.vcf")
    pysam.tabix_compress(str(folder / "plain.vcf"), str(folder / "x.vcf.gz"), force=True)
    return folder / "x.vcf.gz"


def bcf(folder: Path, content: str) -> Path:
    put(folder, content, "plain.vcf")
    with pysam.VariantFile(str(folder / "plain.vcf")) as vcf:
        with pysam.VariantFile(str(folder / "x.bcf"), "wb", header=vcf.header) as out:
            for record in vcf:
                out.write(record)
    return folder / "x.bcf"


def all_of(source, genome, **options) -> Variants:
    return Variants.join(read_variants(source, genome, **options))


def columns(found: Variants) -> list[tuple]:
    return list(zip(found.chrom, found.pos, found.id, found.ref, found.alt, found.status, strict=True))


@pytest.mark.parametrize("form", ["plain", "gzip", "bgzf", "bcf", "crlf", "no end", "misnamed"])
def test_every_form_gives_the_same_rows(tmp_path, genome, lines, form):
    content = text(lines[:3000])
    expected = [(c, int(p) - 1, i, r, a, "ok") for c, p, i, r, a, *_ in (line.split("\t") for line in lines[:3000])]
    path = {
        "plain": lambda: put(tmp_path, content),
        "gzip": lambda: put(tmp_path, gzip.compress(content.encode()), "x.vcf.gz"),
        "bgzf": lambda: bgzip(tmp_path, content),
        "bcf": lambda: bcf(tmp_path, content),
        "crlf": lambda: put(tmp_path, content.replace("\n", "\r\n")),
        "no end": lambda: put(tmp_path, content.rstrip("\n")),
        "misnamed": lambda: bcf(tmp_path, content).rename(tmp_path / "x.vcf.gz"),
    }[form]()
    file = read_variants(path, genome, chunk=700)
    chunks = list(file)
    assert [len(c) for c in chunks] == [700] * 4 + [200]
    assert columns(Variants.join(chunks)) == expected
    assert np.array_equal(Variants.join(chunks).record, np.arange(3000))
    assert file.kind == ("bcf" if form in ("bcf", "misnamed") else "vcf")
    assert list(file.header.contigs) == ["chr1", "chrUn"]
    cut = ["line 3005, the last, has no line end: the file may have been cut off"]
    assert file.notes == (cut if form == "no end" else [])
    assert list(file)[-1].record[-1] == 2999
    assert file.notes == (cut if form == "no end" else [])


def test_records_are_skipped_to_go_on(tmp_path, genome, lines):
    content = text([*lines[:10], lines[10].replace("\t.\tPASS", ",N\t.\tPASS"), *lines[11:20]])
    for path in (put(tmp_path, content), bcf(tmp_path, content)):
        whole = all_of(path, genome, chunk=3)
        rest = all_of(path, genome, start=10, chunk=4)
        assert (len(whole), rest.record[0], rest.allele[:3].tolist()) == (21, 10, [1, 2, 1])
        assert columns(rest) == columns(whole)[10:]
        assert len(all_of(path, genome, start=20)) == 0


TABLES = {
    "columns in another order": "id\talt\tPOS\tRef\tnote\tCHROM\nrs1\tG\t1\tA\tx\t2\n",
    "a hash": "#CHROM\tPOS\tREF\tALT\n2\t1\tA\tG\n",
    "commas": 'chrom,pos,ref,alt,note\n2,1,A,G,"a, b"\n',
    "comment lines": "##model=x\n\n##score=y\nchrom\tpos\tref\talt\n2\t1\tA\tG\n\n",
    "byte order mark, CRLF, no end": "\ufeffchrom\tpos\tref\talt\r\n2\t1\tA\tG",
    "blanks": "chrom, pos, ref, alt\n2, 1, A, G\n",
}


@pytest.mark.parametrize("case", TABLES)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_table_is_read_by_its_column_names(tmp_path, genome, case, pack):
    file = read_variants(put(tmp_path, pack(TABLES[case].encode()), "x.dat"), genome)
    found = Variants.join(file)
    assert (file.kind, file.header) == ("table", None)
    assert columns(found) == [("2", 0, "rs1" if "id" in TABLES[case] else ".", "A", "G", "ok")]


def test_a_table_keeps_its_bad_rows_and_several_alternates(tmp_path, genome):
    content = 'chrom,pos,ref,alt\n2,1,A,"G,T"\n2,1\n2,1e3,A,G\n2,1,,G\n2,1,A,G,5\n'
    found = all_of(put(tmp_path, content, "x.csv"), genome)
    assert list(found.alt) == ["G", "T", ".", "G", "G", "G"]
    assert list(found.status) == ["ok", "ok", *["malformed"] * 4]
    assert list(found.notes[2:]) == [
        "line 3 has 2 columns where the header has 4",
        "line 4: POS '1e3' is no whole number",
        "line 5: CHROM, REF or ALT is empty",
        "line 6 has 5 columns where the header has 4",
    ]
    assert found.record.tolist() == [0, 0, 1, 2, 3, 4]
    assert all_of(tmp_path / "x.csv", genome, start=3).record.tolist() == [3, 4]


def test_typed_variants_are_one_based(genome):
    file = read_variants("chr2:1:A>G", genome)
    assert (file.kind, file.total, file.header) == ("typed", 1, None)
    assert columns(Variants.join(file)) == [("chr2", 0, ".", "A", "G", "ok")]
    listed = ["2:10:C>CAAA", "2:1:AC>A,<DEL>", "2:11:A>G", "chr1:1,000:N>A"]
    found = all_of(listed, genome)
    assert list(found.status) == ["ok", "ok", "symbolic", "out_of_bounds", "ref_mismatch"]
    assert found.pos.tolist() == [9, 0, 0, 10, 999]
    assert all_of(listed, genome, start=3).record.tolist() == [3]


@pytest.mark.parametrize(
    "typed", ["chr1:1:A", "chr1:1", "chr1:x:A>G", "chr1:1,00:A>G", "chr1:-1:A>G", "chr1:1:>G", "2:0:A>G", 7]
)
def test_what_is_no_typed_variant_is_said(genome, typed):
    with pytest.raises(ConfigError, match=r"does not read contig:position:REF>ALT, as in chr20:43,044,295:G>A"):
        read_variants(["2:1:A>G", typed], genome)
    if isinstance(typed, str):
        with pytest.raises(ZooError, match=r"as in chr20:43,044,295:G>A|does not exist"):
            read_variants(typed, genome)


def test_bad_lines_become_rows_and_the_others_are_read(tmp_path, genome, lines):
    bad = {
        "chr1\t7\trs\tA": "line 7 has 4 columns where the header has 8",
        "chr1\tx\t.\tA\tC\t.\t.\t.": "line 8: POS 'x' is no whole number",
        "chr1\t-5\t.\tA\tC\t.\t.\t.": "line 9: POS '-5' is no whole number",
        "chr1\t1_0\t.\tA\tC\t.\t.\t.": "line 10: POS '1_0' is no whole number",
        "\t1\t.\tA\tC\t.\t.\t.": "line 11: CHROM, REF or ALT is empty",
        "chr1\t1\t.\tA\tC,,G\t.\t.\t.": "line 12: CHROM, REF or ALT is empty",
        "chr1\t1\t.\tA\tC\t.\t.\t.\t.": "line 13 has 9 columns where the header has 8",
        "rubbish": "line 14 has 1 columns where the header has 8",
        "chr1\t99999999999999999999\t.\tA\tC\t.\t.\t.": "line 15: POS '99999999999999999999' is no whole number",
    }
    found = all_of(put(tmp_path, text([lines[0], *bad, lines[1]])), genome)
    assert list(found.status) == ["ok", *["malformed"] * len(bad), "ok"]
    assert list(found.notes[1:-1]) == list(bad.values())
    assert (found.chrom[1], found.pos[1], found.id[1], found.ref[1], found.alt[1]) == ("chr1", 6, "rs", "A", ".")
    assert np.array_equal(found.record, np.arange(len(bad) + 2))


def test_old_encodings_outside_the_alleles_do_no_harm(tmp_path, genome, lines):
    content = text(lines[:2]).encode().replace("é".encode(), b"\xe9")
    assert list(all_of(put(tmp_path, content), genome).status) == ["ok", "ok"]


def test_joined_files_are_read_through_and_noted(tmp_path, genome, lines):
    file = read_variants(put(tmp_path, text(lines[:2]) + text(lines[2:4])), genome)
    assert len(Variants.join(file)) == 4
    assert file.notes == ["line 12 is a second header: the files before and after it were joined"]


def test_rows_without_any_header_are_read_as_vcf(tmp_path, genome, lines):
    file = read_variants(put(tmp_path, text(lines[:5], "")), genome)
    assert len(Variants.join(file)) == 5
    assert file.notes[0] == "no header: its 8 columns are read as those of VCF, from CHROM, POS, ID, REF, ALT on"
    assert file.header is None


def blocks(content: bytes) -> list[int]:
    """Where the blocks of a BGZF file begin (SAM specification 4.1)."""
    begins = [0]
    while begins[-1] < len(content):
        begins.append(begins[-1] + int.from_bytes(content[begins[-1] + 16 : begins[-1] + 18], "little") + 1)
    return begins[:-1]


@pytest.mark.parametrize("make", [bgzip, bcf])
@pytest.mark.parametrize("cut", ["within a block", "between blocks", "end marker", "flipped bits"])
def test_a_cut_or_damaged_bgzf_file_is_refused(tmp_path, genome, lines, make, cut):
    path = make(tmp_path, text(lines))
    content = path.read_bytes()
    middle = blocks(content)[len(blocks(content)) // 2]
    damaged = bytearray(content)
    damaged[middle + 400] ^= 0xFF
    kept = {"within a block": content[: middle + 500], "between blocks": content[:middle], "end marker": content[:-28]}
    path.write_bytes(kept.get(cut, damaged))
    with pytest.raises(DataError, match=f"{path.name} .*(cut off|damaged|fetch it again)"):
        all_of(path, genome)


@pytest.mark.parametrize("make", [bgzip, bcf])
def test_an_index_counts_the_records_and_tells_of_lost_blocks(tmp_path, genome, lines, make):
    path = make(tmp_path, text(lines))
    pysam.tabix_index(str(path), preset=path.suffix[1:] if make is bcf else "vcf", csi=make is bcf, force=True)
    file = read_variants(path, genome, start=18_990)
    assert (file.total, len(Variants.join(file))) == (19_000, 10)
    content = path.read_bytes()
    path.write_bytes(content[: blocks(content)[3]] + content[blocks(content)[-1] :])
    with pytest.raises(DataError, match=r"ends after [\d,]+ records, its index counts 19,000|damaged"):
        all_of(path, genome)


def test_a_cut_plain_gzip_or_text_file_is_refused(tmp_path, genome, lines):
    content = text(lines[:500]).encode()
    packed = gzip.compress(content)
    for k in (len(packed) // 2, len(packed) - 3):
        with pytest.raises(DataError, match="ends in the middle of its gzip stream"):
            all_of(put(tmp_path, packed[:k], "x.vcf.gz"), genome)
    with pytest.raises(DataError, match=r"x.vcf line 505, the last, has 6 of 8 columns and no line end: .*cut off"):
        all_of(put(tmp_path, content[: content.rindex(b"\tPASS")]), genome)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no record and no header line"),
        (b"##fileformat=VCFv4.2\n", "holds no record and no header line"),
        (b"##fileformat=VCFv4.2\nchr1\t1\t.\tA\tC\t.\t.\t.\n", "line 2 reads .*where a VCF has its header line"),
        (b"##fileformat=VCFv4.2\n#CHROM POS ID REF ALT\n", "line 2 is separated by spaces"),
        (b"chrom\tpos\tref\nchr1\t1\tA\n", "line 1 reads 'chrom.tpos.tref'"),
        (b"chr1\t1\tA\tC\n", "line 1 reads"),
        (b"BCF\x04rest", "a BCF1 file"),
        (b"BAM\x01rest", "a BAM file"),
        (b"BCF\x02\x02junkjunkjunkjunk", "no sound BCF file"),
        (b"PK\x03\x04", "a zip archive"),
        ("chrom\tpos".encode("utf-16"), "zero byte"),
        (HEAD.replace("\n", "\r").encode(), "line 1 holds a lone carriage return"),
        (HEAD.encode() + b"chr1\t1\t.\tA\tC\t.\t.\t.\nchr1\t\0\n", "line 7 holds a zero byte"),
    ],
)
def test_what_is_no_file_of_variants_is_one_clear_error(tmp_path, genome, content, message):
    with pytest.raises(DataError, match=message) as error:
        all_of(put(tmp_path, content), genome)
    assert "x.vcf" in str(error.value)


def test_a_missing_file_and_wrong_options_are_named(tmp_path, genome):
    with pytest.raises(DataError, match=r"none.vcf does not exist"):
        read_variants(tmp_path / "none.vcf", genome)
    with pytest.raises(ConfigError, match="rs429358 names no place of a genome"):
        read_variants("rs429358", genome)
    for options in ({"chunk": 0}, {"start": -1}):
        with pytest.raises(ConfigError, match="must be 1 or more"):
            read_variants("2:1:A>G", genome, **options)


def test_header_lines_that_htslib_refuses_do_not_keep_rows_from_being_read(tmp_path, genome, lines):
    file = read_variants(
        put(tmp_path, text(lines[:2], HEAD.replace("##INFO", "##contig=<ID=chr1,leng\n##INFO"))), genome
    )
    assert len(Variants.join(file)) == 2
    broken = read_variants(put(tmp_path, text(lines[:2], HEAD.replace("\tINFO\n", "\tINFO\tGT\tS\n"))), genome)
    with pytest.raises(DataError, match="htslib cannot read its header"):
        _ = broken.header


def test_another_assembly_is_told_by_the_contig_lengths(tmp_path, genome, lines):
    for name in ("chr1", "1"):
        head = HEAD.replace(f"ID=chr1,length={LENGTH}", f'ID={name},assembly="a,b",length=61000,md5=x')
        for path in (
            put(tmp_path, text(lines[:2], head)),
            bcf(tmp_path, text(lines[:2], HEAD.replace("60000", "61000"))),
        ):
            message = r"contig \w+ has 61,000 bp in the header, 60,000 bp .*\(1 of 1 .*--any-assembly"
            with pytest.raises(GenomeMismatch, match=message):
                all_of(path, genome)
            anyway = all_of(path, genome, any_assembly=True)
            assert anyway.status.tolist() == ["ok", "ok"]
            assert all("contig_differs" in note for note in anyway.notes)
    bare = read_variants(put(tmp_path, text(lines[:2], HEAD.replace(f",length={LENGTH}", ""))), genome)
    assert bare.notes == ["the header gives no contig length, so only REF tells whether the assembly is the genome's"]


OTHER_2 = HEAD.replace("##contig=<ID=chrUn,length=7>", "##contig=<ID=chr2,length=11>")


def test_rows_on_a_contig_of_another_length_have_a_status_and_the_others_a_score(tmp_path, genome, lines):
    path = put(tmp_path, text([*lines[:30], "2\t3\t.\tG\tT\t.\t.\t."], OTHER_2))
    file = read_variants(path, genome)
    found = Variants.join(file)
    assert found.status.tolist() == ["ok"] * 30 + ["contig_differs"]
    note = "contig chr2 has 11 bp in the header, 10 bp in the genome: rows on it "
    assert file.notes == [note + "have the status contig_differs"]
    anyway = read_variants(path, genome, any_assembly=True)
    assert Variants.join(anyway).status.tolist() == ["ok"] * 31
    assert anyway.notes == [note + "are scored all the same"]


def test_nothing_is_left_where_every_record_lies_on_a_contig_of_another_length(tmp_path, genome):
    path = put(tmp_path, text(["2\t3\t.\tG\tT\t.\t.\t."] * 3, OTHER_2))
    with pytest.raises(GenomeMismatch, match=r"contig chr2 has 11 bp in the header, 10 bp in the genome \(1 of 2"):
        all_of(path, genome)
    assert len(all_of(path, genome, start=1)) == 2
    assert len(all_of(put(tmp_path, text([], OTHER_2), "e.vcf"), genome)) == 0


def test_regions_limit_a_file_by_the_written_reference(tmp_path, genome):
    rows = [
        ("chr1", 10, "A", "C"),
        ("1", 11, "AAAAA", "A"),
        ("chr1", 15, "A", "C"),
        ("2", 5, "A", "C"),
        ("chr9", 5, "A", "C"),
        ("chr1", 12, "A", "C"),
        ("chr1", 31, "A", "C"),
    ]
    lines = ["\t".join((c, str(p), ".", r, a, ".", ".", ".")) for c, p, r, a in rows]
    path = put(tmp_path, text([*lines, "chr1\tx\t.\tA\tC\t.\t.\t."]))
    bed = put(
        tmp_path,
        "1\t13\t14\nchr1\t12\t14\nchr1\t20\t40\nchr1\t22\t25\nchr1\t50\t50\nchr2\t4\t5\nchr9\t0\t5\nchr8\t0\t9\n",
        "r.bed",
    )
    for regions in (bed, read_intervals(bed)):
        file = read_variants(path, genome, regions=regions)
        found = Variants.join(file)
        assert found.record.tolist() == [1, 3, 4, 6, 7]
        assert found.status[4] == "malformed"
        assert file.notes == [f"regions lie on contigs that genome {genome.name!r} lacks: chr9, chr8"]
        assert Variants.join(read_variants(path, genome, regions=regions, start=4, chunk=1)).record.tolist() == [
            4,
            6,
            7,
        ]


@pytest.mark.parametrize("form", ["plain", "gzip", "bgzf", "bcf", "list"])
@pytest.mark.parametrize("way", ["descriptor", "fifo"])
def test_no_record_is_lost_in_a_pipe(tmp_path, genome, lines, form, way):
    content = text(lines[:3000])
    packed = {
        "plain": content.encode,
        "gzip": lambda: gzip.compress(content.encode()),
        "bgzf": lambda: bgzip(tmp_path, content).read_bytes(),
        "bcf": lambda: bcf(tmp_path, content).read_bytes(),
        "list": lambda: "".join("{0}:{1}:{3}:{4}\n".format(*line.split("\t")) for line in lines[:3000]).encode(),
    }[form]()
    if way == "fifo":
        os.mkfifo(tmp_path / "calls")
        path, end = tmp_path / "calls", tmp_path / "calls"
    else:
        reading, end = os.pipe()
        path = f"/dev/fd/{reading}"

    def write():
        with open(end, "wb") as file:
            file.write(packed)

    thread = threading.Thread(target=write)
    thread.start()
    file = read_variants(path, genome, chunk=700)
    for _ in range(2):
        assert [len(chunk) for chunk in file] == [700] * 4 + [200]
    assert Variants.join(file).ok.all()
    thread.join()
    if way == "descriptor":  # a named pipe would wait for another writer
        with pytest.raises(DataError, match=r"is a pipe that was read before, and gives its bytes once"):
            read_variants(path, genome)
        os.close(reading)


def test_memory_stays_flat(tmp_path, genome, lines):
    path = put(tmp_path, text(lines * 6))
    for _ in read_variants(path, genome):
        break
    tracemalloc.start()
    rows = sum(len(chunk) for chunk in read_variants(path, genome))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == 114_000
    assert peak < 40e6


def test_htslib_says_nothing_on_stderr(tmp_path, genome, lines, capfd):
    path = bcf(tmp_path, text(lines[:5]))
    capfd.readouterr()
    assert len(all_of(path, genome)) == 5
    assert capfd.readouterr().err == ""


def test_a_bcf_in_plain_gzip_is_read_or_refused_in_words(tmp_path, genome, lines):
    """pysam raises NotImplementedError where a block has lost the field that makes it BGZF."""
    path = bcf(tmp_path, text(lines[:5]))
    content = bytearray(path.read_bytes())
    content[12:14] = b"XX"  # the subfield BC of the first block
    path.write_bytes(content)
    for read in (lambda: all_of(path, genome), lambda: read_genotypes(path, "chr1")):
        with pytest.raises(DataError, match="fetch it again"):
            read()


FIELDS = st.text(st.sampled_from("chr12\t\tACGTN,.<>[]:*0123456789 -é#\r"), max_size=40)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bad=st.lists(FIELDS, max_size=8), raw=st.binary(max_size=40))
def test_any_lines_give_a_row_each_or_a_data_error(tmp_path, genome, lines, bad, raw):
    path = put(tmp_path, text([lines[0], *bad]).encode() + raw + b"\n" + lines[1].encode() + b"\n")
    try:
        found = all_of(path, genome)
        written = [t for _, t in read_text(path) if t and t[0] != "#"]
    except DataError:
        return
    assert found.status[0] == found.status[-1] == "ok"
    assert np.array_equal(np.unique(found.record), np.arange(len(written)))
    assert set(found.status) <= set(STATUSES)
    assert (np.diff(found.record) + (np.diff(found.allele) > 0) > 0).all()


@pytest.mark.data
def test_all_of_a_thousand_genomes_file_is_the_references():
    folder = Path(os.environ.get("ZOO_DATA", ""))
    if not os.environ.get("ZOO_DATA") or not (folder / "hg19/chr20.fa.gz").exists():
        pytest.skip("ZOO_DATA names no folder with hg19/chr20.fa.gz")
    genome = Genome(folder / "hg19/chr20.fa.gz")
    file = read_variants(folder / "haplotypes/1000G_300samples_chr20_1-4Mb_phased.vcf.gz", genome)
    found = Variants.join(file)
    assert len(found) == found.ok.sum() == 24_990
    check = AssemblyCheck(file.path, genome, first=24_990)
    check.add(found)
    assert (check.mismatched, check.compared) == (0, 24_990)
    assert (np.vectorize(len)(found.ref) == np.vectorize(len)(found.alt)).sum() == 23_670
    assert len(file.header.samples) == 300
