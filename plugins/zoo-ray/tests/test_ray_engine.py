"""Ray gives the table of the local engine, whatever dies."""

import os
import signal
import subprocess
import sys

import numpy as np
import psutil
import pytest

import zoo
from zoo.cli.main import main
from zoo.data.codes import decode
from zoo.data.genome import Genome
from zoo.effects.variants.job import ScoreJob
from zoo.effects.variants.scorer import Scorer
from zoo.errors import ConfigError
from zoo.files.tables import read_table
from zoo_ray.engine import Ray

ROWS = 204
pytestmark = pytest.mark.xdist_group("ray")  # one cluster at a time, and early: it is slow to start

RUN = """
import os, sys, time, zoo
import zoo_ray.engine as engine
from zoo.data.genome import Genome
from zoo.effects.variants.job import ScoreJob
from zoo.effects.variants.resume import Parts
from zoo.effects.variants.scorer import Scorer
from zoo.errors import ZooError

class Slow(engine._Worker):
    def __call__(self, row):
        import os, time
        time.sleep(0.2)
        if FAULT == "poison" and row["after"] == 100:
            os.kill(os.getpid(), 9)
        return super().__call__(row)

def main(folder, out, fault, resume):
    global FAULT
    FAULT = fault
    engine._Worker = Slow
    engine.RETRIES = 1
    if fault in ("lost", "reader"):
        whole, died = engine._read, out + ".died"
        def read(row, variants):
            import os
            for r in whole(row, variants):
                if r["after"] != 100 or fault != "lost":
                    yield r
                if r["after"] == 100 and fault == "reader" and not os.path.exists(died):
                    open(died, "w").close()
                    os.kill(os.getpid(), 9)
        engine._read = read
    write = Parts.write
    Parts.write = lambda parts, chunk: (write(parts, chunk), print("done", flush=True))
    genome = Genome(folder + "/g.fa")
    scorer = Scorer(zoo.load("ctcf-motif-cnn"), genome, output="CTCF:raw")
    job = ScoreJob(folder + "/v.tsv", genome, scorer, engine=engine.Ray(workers=2))
    job.variants.chunk = 10
    job.to(out, resume, tell=lambda note: print(note, flush=True))

try:
    main(*sys.argv[1:4], sys.argv[4] == "resume")
except ZooError as error:
    sys.exit(str(error))
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A FASTA whose contig is chr1, and 200 records that call it 1: substitutions, insertions, some without a score."""
    folder = tmp_path_factory.mktemp("ray")
    letters = decode(np.random.default_rng(0).integers(0, 4, 6000).astype(np.uint8))
    (folder / "g.fa").write_text(f">chr1\n{letters}\n")
    other = {"A": "C", "C": "G", "G": "T", "T": "A"}
    rows = []
    for i, p in enumerate(range(90, 90 + 200 * 14, 14)):
        ref, alt = letters[p - 1], other[letters[p - 1]]
        alt = {7: alt + "TT", 11: f"{alt},{other[alt]}", 13: "<DEL>"}.get(i % 57, alt)
        rows.append(f"1\t{p}\trs{p}\t{ref}\t{alt}\n")
    (folder / "v.tsv").write_text("chrom\tpos\tid\tref\talt\n" + "".join(rows))
    score(folder, folder / "local.tsv")
    return folder


def words(source, folder, out, *args):
    what = ["--model", "ctcf-motif-cnn", "--fasta", str(folder / "g.fa"), "--output", "CTCF:raw"]
    return ["score", str(source), *what, "-o", str(out), *args]


def score(folder, out, *args, source=None):
    return main(words(source or folder / "v.tsv", folder, out, *args))


def on_ray(source, folder, out, *args, **environment):
    """`zoo score --engine ray` in a process of its own."""
    program = "import sys; from zoo.cli.main import main; sys.exit(main(sys.argv[1:]))"
    engine = ["--engine", "ray", "--engine-option", "workers=2"]
    command = [sys.executable, "-c", program, *words(source, folder, out, *args, *engine)]
    env = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, env=env, check=False)


def same_table(out, local):
    (said, rows), (said_local, rows_local) = read_table(out), read_table(local)
    assert said == said_local
    assert len(rows) == len(rows_local) == ROWS
    assert [{**r, "CTCF:raw": ""} for r in rows] == [{**r, "CTCF:raw": ""} for r in rows_local]
    ours, theirs = ([np.float32(r["CTCF:raw"].replace("NA", "nan")) for r in t] for t in (rows, rows_local))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)


def start(files, out, fault="none", resume=""):
    file = files / "run.py"
    file.write_text(RUN)
    return subprocess.Popen(
        [sys.executable, str(file), str(files), str(out), fault, resume],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def wait_for(run, n):
    for line in run.stdout:
        n -= line == "done\n"
        if not n:
            return


def processes(run, word):
    found = [p for p in psutil.Process(run.pid).children(recursive=True) if word in command_of(p)]
    assert found, word
    return found


def command_of(process):
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # ended, or a zombie, since it was listed
        return ""


class TestOnRay:
    pytestmark = pytest.mark.slow

    def test_the_table_is_that_of_the_local_engine(self, files, tmp_path):
        home = tmp_path / "home"
        home.mkdir()
        done = on_ray(files / "v.tsv", files, tmp_path / "s.tsv", HOME=str(home))
        assert done.returncode == 0, done.stderr
        assert done.stderr.splitlines()[-1].startswith(f"{tmp_path / 's.tsv'}: {ROWS} rows (")
        assert len(done.stderr.splitlines()) == 1
        same_table(tmp_path / "s.tsv", files / "local.tsv")
        assert not (home / ".ray").exists()
        assert not (tmp_path / "s.tsv.parts").exists()

    def test_haplotypes_are_scored_alike(self, files, tmp_path):
        text = (files / "v.tsv").read_text().splitlines()[1:101]
        head = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tNA1\n"
        lines = [f"{line}\t.\tPASS\t.\tGT\t{'0|1' if i % 3 else '1|1'}\n" for i, line in enumerate(text)]
        (tmp_path / "v.vcf").write_text(head + "".join(lines))
        phased = ["--phased", "--sample", "NA1"]
        assert score(files, tmp_path / "local.tsv", *phased, source=tmp_path / "v.vcf") == 0
        done = on_ray(tmp_path / "v.vcf", files, tmp_path / "ray.tsv", *phased)
        assert done.returncode == 0, done.stderr
        ray, local = (read_table(tmp_path / f"{name}.tsv")[1] for name in ("ray", "local"))
        assert sum(r["status"] == "ok" for r in local) > 100
        effects = [name for name in local[0] if name.startswith("CTCF:raw")]
        for one, other in zip(ray, local, strict=True):
            assert {k: v for k, v in one.items() if k not in effects} == {
                k: v for k, v in other.items() if k not in effects
            }
            values = [[float(r[k].replace("NA", "nan")) for k in effects] for r in (one, other)]
            np.testing.assert_allclose(*values, rtol=0, atol=1e-4)

    def test_actors_and_the_reader_may_be_killed(self, files, tmp_path):
        run = start(files, tmp_path / "s.tsv", "reader")
        wait_for(run, 3)
        processes(run, "ray::MapWorker")[0].kill()
        wait_for(run, 10)
        processes(run, "ray::MapWorker")[-1].kill()
        _, error = run.communicate(timeout=300)
        assert run.returncode == 0, error
        assert (tmp_path / "s.tsv.died").exists()
        same_table(tmp_path / "s.tsv", files / "local.tsv")

    def test_a_killed_run_goes_on_without_loss_or_repetition(self, files, tmp_path):
        run = start(files, tmp_path / "s.tsv")
        wait_for(run, 5)
        left = processes(run, "raylet") + processes(run, "ray::MapWorker")
        run.send_signal(signal.SIGKILL)
        run.communicate()
        assert not psutil.wait_procs(left, timeout=60)[1]
        assert not (tmp_path / "s.tsv").exists()
        again = start(files, tmp_path / "s.tsv", resume="resume")
        notes, error = again.communicate(timeout=300)
        assert again.returncode == 0, error
        assert int(notes.split("going on behind record ")[1].split()[0]) >= 50
        same_table(tmp_path / "s.tsv", files / "local.tsv")

    def test_a_chunk_that_kills_every_actor_ends_the_run_with_a_sentence(self, files, tmp_path):
        run = start(files, tmp_path / "s.tsv", "poison")
        _, error = run.communicate(timeout=400)
        assert run.returncode == 1
        assert "go on with --resume" in error
        assert "Traceback" not in error
        assert not (tmp_path / "s.tsv").exists()

    def test_a_chunk_that_does_not_come_back_is_noticed(self, files, tmp_path):
        run = start(files, tmp_path / "s.tsv", "lost")
        _, error = run.communicate(timeout=300)
        assert run.returncode == 1
        assert "Ray gave the records behind 110, not 100" in error
        assert not (tmp_path / "s.tsv").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["workers=0"], "must be 1 or more"),
        (["workers"], "does not read key=value"),
        (["worker=2"], "did you mean 'workers'?"),
        (["address=ray://a:1"], "must be auto or HOST:PORT"),
        (["address=127.0.0.1:9"], "no Ray cluster answers at address=127.0.0.1:9"),
    ],
)
def test_options_that_cannot_be_are_refused(files, tmp_path, capsys, options, message):
    typed = [x for option in options for x in ("--engine-option", option)]
    assert score(files, tmp_path / "s.tsv", "--engine", "ray", *typed) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "s.tsv").exists()


def test_a_model_that_was_built_here_is_refused(files):
    genome = Genome(files / "g.fa")
    model = zoo.load("ctcf-motif-cnn")
    model.source = None
    scorer = Scorer(model, genome, output="CTCF:raw")
    with pytest.raises(ConfigError, match="was built here, but actors load theirs: publish it first"):
        ScoreJob(files / "v.tsv", genome, scorer, engine=Ray(workers=1)).table()
