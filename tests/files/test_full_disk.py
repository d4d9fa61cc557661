"""A full disk: one sentence, exit code 1, nothing half-written, and no crash when the process ends."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from zoo.data.codes import decode

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files")

NAMES = [
    "table.tsv", "table.tsv.gz", "table.parquet", "table.xlsx", "figure.png", "figure.svg", "figure.pdf", "page.html",
    "track.bw", "ours.h5", "theirs.h5", "annotated.vcf", "annotated.vcf.gz", "annotated.bcf", "parts.tsv",
]  # fmt: skip

# One process forks for every writer, limits the size of files in the fork, and lets it end as it will.
CODE = """
import os, resource, sys
from pathlib import Path
sys.dont_write_bytecode = True  # Python itself leaves half a .pyc on a full disk
import h5py, matplotlib.figure, numpy as np, openpyxl, pyarrow.parquet, pysam
from zoo.data.bigwig import write_bigwig
from zoo.data.genome import Genome
from zoo.effects.variants.output_files import writer_for
from zoo.effects.variants.resume import Parts
from zoo.effects.variants.rows import Chunk
from zoo.errors import ZooError
from zoo.files.hdf5 import hdf5_by_name, new_hdf5
from zoo.files.tables import write_table
from zoo.pictures.figure_files import save_figure, save_picture
from zoo.variants.files import read_variants
os.chdir(sys.argv[1])
random = np.random.default_rng(0)
figure = matplotlib.figure.Figure()
figure.add_subplot().plot(random.random(3000))
variants = read_variants("v.vcf", Genome("g.fa"))
ROWS = [["chr1", i, f"name{random.integers(1 << 60)}", random.random()] for i in range(3000)]
COLUMNS = ["chrom", "pos", "id", "score"]

def ours(out):
    with new_hdf5(out) as file:
        for i in range(20):
            file[f"values{i}"] = random.random(5000)

def theirs(out):
    with hdf5_by_name(out) as name:
        with h5py.File(name, "w") as file:
            file["values"] = random.random(5000)
            file.create_group("more").attrs["text"] = "x" * 5000
        with h5py.File(name, "r+") as file:
            file.attrs["a"] = "b"

def annotated(out):
    alts = [line.split("\\t")[4] for line in open("v.vcf") if line[0] != "#"]
    rows = [(i, [a, "ok", str(random.random()), f"{random.integers(1 << 60)}"]) for i, a in enumerate(alts)]
    writer_for(out, variants)(Path(out), ["alt", "status", "CTCF", "notes"], rows, {})

def parts(out):
    with Parts(out, COLUMNS, {}) as unfinished:
        unfinished.write(Chunk(0, 3000, ROWS, np.arange(3000)))

WRITERS = {
    "table": lambda out: write_table(out, COLUMNS, ROWS),
    "figure": lambda out: save_figure(out, figure),
    "page": lambda out: save_picture(out, figure, "title", "alt", {}),
    "track": lambda out: write_bigwig(out, {"chr1": 5000}, [("chr1", 0, random.random(5000))]),
    "ours": ours, "theirs": theirs, "annotated": annotated, "parts": parts,
}
for name in sys.argv[2:]:
    child = os.fork()
    if child == 0:
        os.dup2(os.open(f"{name}.log", os.O_CREAT | os.O_WRONLY), 2)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
        try:
            WRITERS[name.partition(".")[0]](f"out/{name}")
        except ZooError as error:
            print(error, file=sys.stderr, flush=True)
            if name.endswith(".h5"):
                sys.exit(1)  # HDF5 flushes once more at the exit
            os._exit(1)
        os._exit(0)
    with open(f"{name}.status", "w") as file:
        file.write(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))
"""


@pytest.fixture(scope="module")
def endings(tmp_path_factory):
    """A folder with NAME.log and NAME.status of every case, and what they left in out/."""
    folder = tmp_path_factory.mktemp("full")
    letters = decode(np.random.default_rng(0).integers(0, 4, 4000).astype(np.uint8))
    (folder / "g.fa").write_text(f">chr1\n{letters}\n")
    other = {"A": "C", "C": "G", "G": "T", "T": "A"}
    rows = [f"chr1\t{p}\t.\t{letters[p - 1]}\t{other[letters[p - 1]]}\t.\t.\t.\n" for p in range(500, 3500, 8)]
    head = "##fileformat=VCFv4.2\n##contig=<ID=chr1,length=4000>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    (folder / "v.vcf").write_text(head + "".join(rows))
    (folder / "b.bed").write_text("".join(f"chr1\t{p}\t{p + 10}\tpeak{p}\n" for p in range(500, 3500, 25)))
    (folder / "out").mkdir()
    env = {**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    command = [sys.executable, "-c", CODE, str(folder), *NAMES]
    subprocess.run(command, env=env, check=True, timeout=300)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk_is_one_sentence_and_no_crash_at_the_exit(endings, name):
    assert (endings / f"{name}.status").read_text() == "1", (endings / f"{name}.log").read_text()
    lines = (endings / f"{name}.log").read_text().splitlines()
    assert len(lines) == 1, lines
    assert "room" in lines[0]
    assert name in lines[0]
    assert ("free some and go on with --resume" in lines[0]) == name.startswith("parts")
    assert not [path.name for path in (endings / "out").iterdir() if name in path.name]


@pytest.mark.parametrize(
    ("after", "code", "words"),
    [("| head -1", 1, ""), ("> /dev/full", 1, "no room is left"), (">&-", 1, "standard output is closed")],
)
def test_a_standard_output_that_takes_nothing_ends_quietly(forks, endings, after, code, words):
    command = f'"{forks}/zoo" predict ctcf-motif-cnn --fasta g.fa --bed b.bed -o - {after}; exit ${{PIPESTATUS[0]}}'
    if after == ">&-":  # the server that forks would need the stream
        command = command.replace(f'"{forks}/zoo"', f'"{sys.executable}" -m zoo.cli.main')
    ended = subprocess.run(["bash", "-c", command], cwd=endings, capture_output=True, text=True)
    assert ended.returncode == code
    told = [line for line in ended.stderr.splitlines() if not line.startswith("note: ")]
    assert len(told) == bool(words), told
    assert words in ended.stderr


def test_a_device_and_a_link_are_written_to_and_not_replaced(tmp_path):
    from zoo.errors import DataError
    from zoo.files.tables import write_table

    (tmp_path / "there.tsv").write_text("old")
    (tmp_path / "link.tsv").symlink_to("there.tsv")
    write_table(tmp_path / "link.tsv", ["a"], [[1]])
    assert (tmp_path / "link.tsv").is_symlink()
    assert (tmp_path / "there.tsv").read_text() == "a\n1\n"
    (tmp_path / "full.tsv").symlink_to("/dev/full")
    with pytest.raises(DataError, match=r"no room is left for .*full.tsv"):
        write_table(tmp_path / "full.tsv", ["a"], [[1]])
    assert Path("/dev/full").is_char_device()
    write_table("/dev/null", ["a"], [[1]])
    assert Path("/dev/null").is_char_device()
    assert not [name for name in os.listdir(tempfile.gettempdir()) if name.startswith(".full.tsv.")]


def test_what_a_killed_run_left_is_swept_and_what_a_running_one_writes_is_not(tmp_path):
    from zoo.files.atomic import _machine, atomic_path
    from zoo.files.endings import check_output

    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    gone = tmp_path / f".s.tsv.{_machine()}-{dead.pid}-00000000.part"
    elsewhere = tmp_path / f".s.tsv.00000000-{dead.pid}-00000000.part"
    mine = tmp_path / f".s.tsv.backup.{dead.pid}"
    for path in (gone, elsewhere, mine):
        path.write_text("half")
    with atomic_path(tmp_path / "s.tsv") as running:
        check_output(tmp_path / "s.tsv")
        assert not gone.exists()
        assert running.exists()
    assert elsewhere.exists()
    assert mine.exists()


def test_an_output_that_cannot_be_is_refused_before_any_work(tmp_path, capsys):
    from zoo.cli.main import main

    (tmp_path / "folder.tsv").mkdir()
    for out, words in (
        ("x.doc", "end it in .tsv, .tsv.gz, .parquet or .xlsx"),
        (".tsv", "does not say which file to write"),
        (tmp_path / "folder.tsv", "is a folder: name a file in it"),
        (tmp_path / "no" / "x.tsv", "does not exist: create it"),
    ):
        assert main(["predict", "no-such-model", "--fasta", "no.fa", "--bed", "no.bed", "-o", str(out)]) == 1
        assert words in capsys.readouterr().err
