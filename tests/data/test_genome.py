"""Genome and its store: windows are the FASTA's letters, whatever the file looks like."""

from __future__ import annotations

import gzip
import json
import logging
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyfaidx
import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zoo.data.codes import decode, encode, reverse_complement
from zoo.data.genome import Genome
from zoo.data.genome_store import open_store
from zoo.errors import ConfigError, DataError, GenomeMismatch

LETTERS = "ACGTNacgtnRYKM"


def write(path: Path, records: dict[str, str], width: int = 60, end: str = "\n", pack: bool | str = False) -> Path:
    text = "".join(
        f">{name}{end}" + "".join(s[i : i + width] + end for i in range(0, len(s), width))
        for name, s in records.items()
    )
    if pack == "bgzf":
        with pysam.BGZFile(str(path), "wb") as file:
            file.write(text.encode())
    else:
        path.write_bytes(gzip.compress(text.encode()) if pack else text.encode())
    return path


def as_codes_say(letters: str) -> str:
    return "".join(c if c in "ACGT" else "N" for c in letters.upper())


@pytest.fixture
def random_records():
    rng = np.random.default_rng(3)
    return {f"c{i}": "".join(rng.choice(list(LETTERS), n)) for i, n in enumerate((5_000, 1, 777, 60, 12_345))}


def test_a_thousand_windows_equal_pyfaidx(tmp_path, random_records):
    fasta = write(tmp_path / "g.fa", random_records)
    genome, peer = Genome(fasta), pyfaidx.Fasta(str(fasta), as_raw=True)
    rng = np.random.default_rng(0)
    names = [n for n, s in random_records.items() if len(s) > 200]
    contigs = rng.choice(names, 1000)
    starts = np.array([rng.integers(0, len(random_records[c]) - 200) for c in contigs])
    windows = genome.windows(genome.contig_ids(contigs), starts, 200)
    for row, contig, start in zip(windows, contigs, starts, strict=True):
        assert decode(row) == as_codes_say(peer[contig][start : start + 200])


@pytest.mark.parametrize("width", [1, 7, 60, 10**6])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("pack", [False, True, "bgzf"])
@pytest.mark.parametrize("name", ["g.fa", "g.fa.gz"])
def test_line_lengths_line_ends_and_packing_do_not_matter(tmp_path, random_records, width, end, pack, name):
    genome = Genome(write(tmp_path / name, random_records, width, end, pack))
    assert genome.contigs == {n: len(s) for n, s in random_records.items()}
    for name, letters in random_records.items():
        assert decode(genome.fetch(name, 0, len(letters))) == as_codes_say(letters)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    letters=st.lists(st.text(LETTERS, max_size=90), min_size=1, max_size=4),
    width=st.integers(1, 50),
    chunk=st.integers(1, 40),
    tail=st.sampled_from(["", "\n", "\n\n"]),
)
def test_chunk_borders_never_show(tmp_path, monkeypatch, letters, width, chunk, tail):
    from zoo.data import fasta_records as records
    from zoo.files import compressed as files

    monkeypatch.setattr(records, "read_chunks", lambda path: files.read_chunks(path, chunk))
    fasta = write(tmp_path / "g.fa", {f"c{i}": s for i, s in enumerate(letters)}, width)
    fasta.write_text(fasta.read_text().rstrip("\n") + tail)
    got: list[bytes] = []
    for _, header, codes in records.pieces(fasta):
        if header is None:
            got[-1] += codes
        else:
            got.append(b"")
    assert [decode(np.frombuffer(g, np.uint8)) for g in got] == [as_codes_say(s) for s in letters]


def test_positions_past_the_ends_are_n_on_both_strands(tmp_path):
    genome = Genome(write(tmp_path / "g.fa", {"a": "AAAA", "b": "ACGTACGTCC"}))
    ids, starts = genome.contig_ids(["b", "b", "b", "b"]), np.array([-3, 6, -50, 50])
    forward = genome.windows(ids, starts, 8)
    assert [decode(w) for w in forward] == ["NNNACGTA", "GTCCNNNN", "N" * 8, "N" * 8]
    assert (genome.windows(ids, starts, 8, strands=["-"] * 4) == reverse_complement(forward)).all()
    assert decode(genome.windows(ids[:1], np.array([-3]), 16)[0]) == "NNNACGTACGTCCNNN"


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.bool_, np.float32])
def test_one_hot_windows_are_the_codes_on_both_strands(tmp_path, random_records, dtype):
    genome = Genome(write(tmp_path / "g.fa", random_records))
    rng = np.random.default_rng(1)
    ids, starts = rng.integers(0, 5, 300), rng.integers(-90, 5_000, 300)
    strands = rng.choice([-1, 1], 300)
    codes = genome.windows(ids, starts, 80, strands)
    expected = codes[:, None] == np.arange(4)[:, None]
    out = np.full((300, 4, 80), 7, dtype)
    assert genome.one_hot_windows(ids, starts, 80, strands, out=out) is out
    assert (out == expected.astype(dtype)).all()


def test_threads_and_reused_buffers_give_the_same_windows(tmp_path):
    rng = np.random.default_rng(2)
    fasta = write(tmp_path / "g.fa", {"a": "".join(rng.choice(list("ACGT"), 20_000))})
    alone, many = Genome(fasta, threads=1), Genome(fasta, threads=4)
    ids, starts = np.zeros(4_000, np.int64), rng.integers(0, 19_000, 4_000)
    out = np.full((4_000, 1_000), 9, np.uint8)
    assert (many.windows(ids, starts, 1_000, out=out) == alone.windows(ids, starts, 1_000)).all()


def test_a_buffer_of_another_shape_is_refused(tmp_path):
    genome = Genome(write(tmp_path / "g.fa", {"a": "ACGT"}))
    for out in (np.zeros((2, 4), np.uint8), np.zeros((1, 4), np.float32), np.zeros((4, 1), np.uint8).T[:, ::-1]):
        with pytest.raises(DataError, match="allocate it so"):
            genome.windows(np.array([0]), np.array([0]), 4, out=out)


def test_several_files_make_one_genome(tmp_path):
    files = [write(tmp_path / "a.fa", {"1": "AAAACCCC"}), write(tmp_path / "b.fa.gz", {"2": "GGGGTTTT"}, pack=True)]
    genome = Genome(files, name="both")
    windows = genome.windows(genome.contig_ids(["2", "1", "2"]), np.array([2, 2, 4]), 4)
    assert [decode(w) for w in windows] == ["GGTT", "AACC", "TTTT"]
    assert pickle.loads(pickle.dumps(genome)).contigs == {"1": 8, "2": 8}
    with pytest.raises(DataError, match="contig '1' is in both"):
        Genome([files[0], write(tmp_path / "c.fa", {"1": "A"})])


def test_a_genome_stands_for_itself_and_files_for_what_is_opened(tmp_path):
    path = tmp_path / "one.fa"
    path.write_text(">a\nACGT\n")
    genome = Genome.of(path)
    assert Genome.of(genome) is genome
    assert Genome.of([path]).contigs == genome.contigs == {"a": 4}


def test_contigs_answer_to_other_names_and_it_is_said(tmp_path, caplog):
    genome = Genome(write(tmp_path / "g.fa", {"20": "A", "X gi|224589822|ref": "C", "MT": "G"}))
    with caplog.at_level(logging.INFO, "zoo.genome"):
        assert [genome.resolve(c) for c in ("chr20", "chrX", "chrM", "M", "20")] == ["20", "X", "MT", "MT", "20"]
    assert genome.aliases == {"chr20": "20", "chrX": "X", "chrM": "MT", "M": "MT"}
    assert "'chr20' is read as '20'" in caplog.text


def test_an_unknown_contig_is_an_error_with_a_suggestion(tmp_path):
    genome = Genome(write(tmp_path / "g.fa", {"chr1": "A", "chr2": "C"}))
    with pytest.raises(GenomeMismatch, match=r"no contig 'chr12': did you mean 'chr\d'"):
        genome.contig_ids(["chr1", "chr12"])


def test_the_store_is_built_once_and_again_when_the_file_changes(tmp_path):
    fasta = write(tmp_path / "g.fa", {"a": "ACGT"})
    first = Genome(fasta)
    codes = next((tmp_path / "g.fa.zoo").glob("*.codes"))
    before = codes.stat().st_mtime_ns
    assert Genome(fasta).checksum == first.checksum
    assert codes.stat().st_mtime_ns == before
    write(fasta, {"a": "ACGTT"})
    assert Genome(fasta).contigs == {"a": 5}
    assert len(list((tmp_path / "g.fa.zoo").glob("*.codes"))) == 1


def test_a_damaged_store_is_built_again(tmp_path):
    fasta = write(tmp_path / "g.fa", {"a": "ACGT"})
    Genome(fasta)
    store = tmp_path / "g.fa.zoo"
    next(store.glob("*.codes")).write_bytes(b"\0")
    assert decode(Genome(fasta).fetch("a", 0, 4)) == "ACGT"
    next(store.glob("*.json")).write_text("{")
    assert decode(Genome(fasta).fetch("a", 0, 4)) == "ACGT"


def test_a_folder_whose_mode_forbids_writing_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "readonly"
    folder.mkdir()
    fasta = write(folder / "g.fa", {"a": "ACGT"})
    folder.chmod(0o555)
    try:
        assert Genome(fasta).contigs == {"a": 4}
        assert [p.name for p in folder.iterdir()] == ["g.fa"]
    finally:
        folder.chmod(0o755)
    assert list((tmp_path / "cache").rglob("*.codes"))


def test_two_processes_build_one_whole_store(tmp_path):
    rng = np.random.default_rng(5)
    letters = "".join(rng.choice(list("ACGT"), 3_000_000))
    fasta = write(tmp_path / "g.fa.gz", {"a": letters}, pack=True)
    program = "import sys; from zoo.data.genome import Genome; print(Genome(sys.argv[1]).checksum)"
    command = [sys.executable, "-c", program, str(fasta)]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [run.communicate(timeout=60)[0].strip() for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert said[0] == said[1] == Genome(fasta).checksum
    assert sorted(p.suffix for p in (tmp_path / "g.fa.gz.zoo").iterdir()) == ["", ".codes", ".json"]
    assert decode(Genome(fasta).fetch("a", 0, len(letters))) == letters


def test_a_killed_build_leaves_nothing_that_is_taken_for_a_store(tmp_path):
    fasta = write(tmp_path / "g.fa", {"a": "ACGT" * 1000})
    program = (
        "import os, sys; from zoo.data import genome_store as store\n"
        "real = store.readers\n"
        "def cut(pieces):\n    yield from list(pieces)[:2]\n    os._exit(9)\n"
        "store.readers = lambda *how: map(cut, real(*how)); store.open_store(sys.argv[1])"
    )
    assert subprocess.run([sys.executable, "-c", program, str(fasta)]).returncode == 9
    assert not list((tmp_path / "g.fa.zoo").glob("*.json"))
    assert Genome(fasta).contigs == {"a": 4000}
    assert not list((tmp_path / "g.fa.zoo").glob("*.tmp"))


def cut_gzip(path: Path) -> None:
    path.write_bytes(
        gzip.compress(
            b">a\n"
            + os.urandom(3000).hex().translate(str.maketrans("0123456789bdef", "ACGTACGTACGTAC")).upper().encode()
        )[:-700]
    )


def cut_bgzf(path: Path) -> None:
    block = bytearray(gzip.compress(b">a\nACGT\n", mtime=0))
    block[3] = 4
    block[10:10] = b"\x06\0BC\x02\0\x2b\0"
    path.write_bytes(bytes(block))


BAD = {
    "empty": (b"", "holds no sequence"),
    "no header": (b"ACGT\n", "line 1 begins with"),
    "letter": (b">a\nACGT\nAC!T\n", r"line 3: letter '!' is no IUPAC"),
    "twice": (b">a x\nA\n>b\nC\n>a y\nG\n", r"line 5: contig 'a' is already on line 1"),
    "nameless": (b">a\nA\n> \nC\n", "line 3: '>' is not followed by a name"),
    "zip": (b"PK\x03\x04rest", "a zip archive"),
    "2bit": (b"\x43\x27\x41\x1arest", "a 2bit genome"),
    "old mac": (b">a\rACGT\r", "lone carriage return"),
    "cut gzip": (cut_gzip, "ends in the middle of its gzip stream"),
    "cut bgzf": (cut_bgzf, "lacks the block that ends a BGZF file"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_broken_file_is_one_clear_error_and_leaves_no_store(tmp_path, case):
    content, message = BAD[case]
    fasta = tmp_path / "g.fa"
    content(fasta) if callable(content) else fasta.write_bytes(content)
    with pytest.raises(DataError, match=message) as error:
        Genome(fasta)
    assert "g.fa" in str(error.value)
    assert not [p for p in tmp_path.rglob("*") if p.suffix in (".codes", ".json", ".tmp")]


def test_what_is_not_given_or_not_there_is_said(tmp_path):
    with pytest.raises(ConfigError, match=r"set genome\.fasta="):
        Genome.from_config({"name": "hg38", "fasta": None})
    with pytest.raises(DataError, match="does not exist"):
        Genome(tmp_path / "absent.fa")
    with pytest.raises(DataError, match="is a folder"):
        Genome(tmp_path)


def test_empty_contigs_are_kept(tmp_path):
    genome = Genome(write(tmp_path / "g.fa", {"a": "", "b": "AC", "c": ""}))
    assert genome.contigs == {"a": 0, "b": 2, "c": 0}
    assert decode(genome.windows(np.array([0, 1]), np.array([0, 0]), 3)[1]) == "ACN"
    assert Genome(write(tmp_path / "e.fa", {"a": ""})).windows(np.array([0]), np.array([0]), 2).tolist() == [[4, 4]]


def test_the_checksum_is_of_the_sequences_alone(tmp_path):
    one = Genome(write(tmp_path / "1.fa", {"chr1": "ACGT", "chr2": "GG"}))
    other = Genome(write(tmp_path / "2.fa", {"2": "gg", "1": "acgt"}, width=2))
    third = Genome(write(tmp_path / "3.fa", {"chr1": "ACGA", "chr2": "GG"}))
    assert one.checksum == other.checksum != third.checksum
    assert json.loads(json.dumps(one.identity()))["bp"] == 6


def test_base_counts_are_those_of_the_windows(tmp_path, random_records):
    genome = Genome(write(tmp_path / "g.fa", random_records))
    starts = np.arange(0, 4_000, 13)
    gc, n = genome.base_counts(0, starts, 101)
    windows = genome.windows(np.zeros(len(starts), int), starts, 101)
    assert (gc == ((windows == 1) | (windows == 2)).sum(1)).all()
    assert (n == (windows == 4).sum(1)).all()
    with pytest.raises(GenomeMismatch):
        genome.base_counts(1, np.array([0]), 2)


def test_a_forked_process_gathers_after_its_parent_did(tmp_path):
    fasta = write(tmp_path / "g.fa", {"a": "ACGT" * 2_000})
    program = (
        "import os, sys, numpy as np; from zoo.data.genome import Genome\n"
        "g = Genome(sys.argv[1], threads=2); ids = np.zeros(4000, int); s = np.arange(4000)\n"
        "w = g.windows(ids, s, 1000)\n"
        "child = os.fork()\n"
        "same = (g.windows(ids, s, 1000) == w).all()\n"
        "if not child: os._exit(0 if same else 3)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    assert subprocess.run([sys.executable, "-c", program, str(fasta)], timeout=60).returncode == 0


def test_genome_needs_no_torch(tmp_path):
    fasta = write(tmp_path / "g.fa", {"a": "ACGT"})
    program = (
        "import sys, numpy as np; from zoo.data.genome import Genome\n"
        "Genome(sys.argv[1]).windows(np.array([0]), np.array([0]), 4); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(fasta)]).returncode == 0


@pytest.mark.data
def test_the_reference_letters_are_where_the_variants_say():
    folder = Path(os.environ.get("ZOO_DATA", ""))
    if not os.environ.get("ZOO_DATA") or not (folder / "hg19/chr20.fa.gz").exists():
        pytest.skip("ZOO_DATA names no folder with hg19/chr20.fa.gz")
    genome = Genome(folder / "hg19/chr20.fa.gz")
    with gzip.open(folder / "haplotypes/1000G_300samples_chr20_1-4Mb_phased.vcf.gz", "rt") as vcf:
        variants = [line.split("\t", 5)[:4] for line in vcf if not line.startswith("#")]
    assert len(variants) == 24_990
    for chrom, position, _, reference in variants:
        start = int(position) - 1
        assert decode(genome.fetch(chrom, start, start + len(reference))) == reference


def test_open_store_gives_the_headers(tmp_path):
    store = open_store(write(tmp_path / "g.fa", {"X gi|1": "AC"}))
    assert [(c.name, c.header) for c in store.contigs] == [("X", "X gi|1")]
    assert (store.codes == encode("AC")).all()


def test_a_file_whose_time_was_put_back_is_not_answered_from_the_old_store(tmp_path):
    path = tmp_path / "g.fa"
    path.write_text(">a\nACGT\n")
    before = path.stat()
    assert (open_store(path).codes == encode("ACGT")).all()
    path.write_text(">a\nACGA\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (open_store(path).codes == encode("ACGA")).all()


def test_a_digest_is_remembered_only_where_a_later_change_must_show(tmp_path, monkeypatch):
    from zoo.data import known_digest

    path = tmp_path / "g.fa"
    path.write_text(">a\nACGT\n")
    known_digest.KnownDigest.of(path).remember(path, [tmp_path])
    assert known_digest.known_digest(path, [tmp_path]) is None  # it changed less than two seconds ago
    now = time.time()
    monkeypatch.setattr(known_digest.time, "time", lambda: now + 60)
    known = known_digest.KnownDigest.of(path)
    known.remember(path, [tmp_path])
    assert known_digest.known_digest(path, [tmp_path]) == known.digest
    other = tmp_path / "other.fa"
    other.write_text(">a\nACGA\n")
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    os.replace(other, path)
    assert known_digest.known_digest(path, [tmp_path]) is None
    assert not known.holds(path)


def test_a_moved_genome_keeps_its_store(tmp_path, monkeypatch):
    (tmp_path / "old").mkdir()
    path = tmp_path / "old" / "g.fa"
    path.write_text(">a\nACGT\n")
    open_store(path)
    (tmp_path / "old").rename(tmp_path / "new")
    monkeypatch.setattr("zoo.data.genome_store._build", lambda *arguments: pytest.fail("built again"))
    assert (open_store(tmp_path / "new" / "g.fa").codes == encode("ACGT")).all()
