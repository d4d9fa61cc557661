"""What `pip install zoo-core` brings, and what is said where an extra is missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions, requires
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from zoo.errors import EXTRAS, explain, need

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
LIGHT = """
import sys
from importlib.metadata import packages_distributions
from packaging.utils import canonicalize_name

class Absent:
    '''Nothing is there beside the standard library and the distributions that are named.'''
    def __init__(self, distributions):
        owners = packages_distributions()
        self.names = {n for n, d in owners.items() if not {*map(canonicalize_name, d)} & distributions}
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in self.names:
            raise ModuleNotFoundError(f'No module named {name!r}', name=name)

sys.meta_path.insert(0, Absent(set(sys.argv[1].split(','))))
"""


def closure(*requirements: str) -> set[str]:
    """Names of the distributions that pip brings for these requirements, the named ones included."""
    waiting, done = [Requirement(r) for r in requirements], set()
    while waiting:
        requirement = waiting.pop()
        key = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if key in done:
            continue
        done.add(key)
        for text in requires(requirement.name) or []:
            inner = Requirement(text)
            if inner.marker is None or any(inner.marker.evaluate({"extra": e}) for e in requirement.extras or {""}):
                waiting.append(inner)
    return {name for name, _ in done}


def extra(name: str) -> set[str]:
    """Names of the distributions that an extra of zoo-core names, through other extras too."""
    listed = [Requirement(text) for text in PROJECT["optional-dependencies"][name]]
    own = {canonicalize_name(r.name) for r in listed if r.name != "zoo-core"}
    return own.union(*(extra(e) for r in listed if r.name == "zoo-core" for e in r.extras))


def run_light(program: str, folder: Path) -> subprocess.CompletedProcess:
    """A Python program in a process that sees only what `pip install zoo-core` brings."""
    env = {**os.environ, "ZOO_PLUGINS": "", "ZOO_CACHE": str(folder / "cache"), "ZOO_OFFLINE": "1"}
    light = ",".join(closure(*PROJECT["dependencies"]) | {"zoo-core"})
    command = [sys.executable, "-c", LIGHT + program, light]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=300)


@pytest.fixture
def files(tmp_path):
    letters = "".join(np.random.default_rng(0).choice(list("ACGT"), 2000))
    (tmp_path / "g.fa").write_text(f">chr1\n{letters}\n")
    (tmp_path / "p.bed").write_text("chr1\t100\t300\nchr1\t900\t1100\n")
    alternate = "C" if letters[999] == "A" else "A"
    head = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    (tmp_path / "v.vcf").write_text(f"{head}chr1\t1000\t.\t{letters[999]}\t{alternate}\t.\t.\t.\n")
    return tmp_path


def test_a_light_install_brings_at_most_twelve_packages_beside_torch():
    brought = {"zoo-core"} | closure(*PROJECT["dependencies"]) - closure("torch")
    assert len(brought) <= 12, sorted(brought)


def test_what_the_project_stands_on_is_named():
    named = chain(PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    names = {canonicalize_name(Requirement(text).name) for text in named}
    stands_on = {"torch", "pluggy", "hydra-core", "omegaconf", "pyfaidx", "huggingface-hub", "pytest", "lightning"}
    assert stands_on <= names


def test_the_extras_bring_what_the_sentences_promise():
    owners = packages_distributions()
    assert set(EXTRAS) == set(PROJECT["optional-dependencies"]) - {"all", "dev", "docs"}
    compiled = {"gkm"}
    assert extra("all") == set().union(*(extra(name) for name in EXTRAS if name not in compiled))
    for name, (_, modules) in EXTRAS.items():
        for module in modules:
            top = module.split(".")[0]
            assert {canonicalize_name(d) for d in owners.get(top, [top])} & extra(name), (name, module)


def test_load_predict_and_score_need_nothing_else(files):
    program = """
import zoo
from zoo.cli.main import main
model = zoo.load("ctcf-motif-cnn")
table = zoo.predict(model, "p.bed", fasta="g.fa")
assert len(table) == 2 and table["CTCF"].dtype == "float32" and list(table["status"]) == ["ok", "ok"]
assert len(zoo.predict(model, sequences=["ACGT" * 50])["CTCF"]) == 1
scores = zoo.score_variants(model, "v.vcf", fasta="g.fa", output="CTCF:raw")
assert list(scores["status"]) == ["ok"] and scores["CTCF:raw"][0] != 0
how = ["--model", "ctcf-motif-cnn", "--output", "CTCF:raw", "--fasta", "g.fa"]
assert main(["predict", "ctcf-motif-cnn", "--fasta", "g.fa", "--bed", "p.bed", "-o", "p.tsv"]) == 0
assert main(["score", "v.vcf", *how, "-o", "s.tsv"]) == 0
assert main(["score", "v.vcf", *how, "-o", "s.vcf.gz"]) == 0
for words in (["list"], ["show", "ctcf-motif-cnn"], ["doctor"], ["--help"], ["mutate", "chr1:1001-1010", *how]):
    assert main(words) == 0, words
"""
    done = run_light(program, files)
    assert done.returncode == 0, done.stderr
    assert (files / "s.tsv").read_text().count("\tok\t") == 1
    assert "pip install 'zoo-core[train]'" in done.stdout


HOW = "--model ctcf-motif-cnn --output CTCF:raw --fasta g.fa"
MISSING = {
    "train experiment=demo": "train",
    "demo": "train",
    "report ctcf-motif-cnn --bed p.bed --fasta g.fa": "report",
    "validate-attribution ctcf-motif-cnn --interpreter ism --bed p.bed --fasta g.fa -o v.png": "pictures",
    "evaluate ctcf-motif-cnn --data name=simulated": "motifs",
    f"mutate chr1:1001-1010 {HOW} -o e.png": "pictures",
    f"mutate chr1:1001-1010 {HOW} -o e.bw": "formats",
    f"mutate chr1:1001-1010 {HOW} -o e.parquet": "formats",
    f"score v.vcf {HOW} -o s.parquet": "formats",
    f"attribute p.bed {HOW} --interpreter ism -o a.h5": "formats",
    f"epistasis v.vcf {HOW}": "pandas",
    "pull hf://genomics/ctcf": "hub",
}


def test_a_missing_extra_is_one_sentence_with_the_command(files):
    program = f"""
import contextlib, io, json, os
from zoo.cli.main import main
os.environ["ZOO_OFFLINE"] = "0"
said = {{}}
for words in {list(MISSING)}:
    err = io.StringIO()
    with contextlib.redirect_stderr(err), contextlib.redirect_stdout(io.StringIO()):
        code = main(words.split())
    said[words] = code, err.getvalue()
print(json.dumps(said))
"""
    done = run_light(program, files)
    assert done.returncode == 0, done.stderr
    for words, (code, text) in json.loads(done.stdout).items():
        assert code == 1, (words, text)
        assert text.strip().endswith(f"is not installed: pip install 'zoo-core[{MISSING[words]}]'"), (words, text)
        assert text.count("zoo: error: ") == 1, (words, text)
        assert "Traceback" not in text, (words, text)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("zoo.train({})", "train"),
        ("zoo.compose([])", "train"),
        ("from zoo.evaluation.evaluate import evaluate as e; e(None, None)", "evaluate"),
        ("from zoo.data.motifs import get_motif as g; g('CTCF')", "motifs"),
        ("from zoo.report.writer import write_report as w; w(None, 'r.html')", "report"),
        ("zoo.predict('ctcf-motif-cnn', sequences=['ACGT' * 50]).head()", "pandas"),
    ],
)
def test_python_names_the_missing_extra_too(files, call, name):
    done = run_light(f"import zoo\ntry: {call}\nexcept (zoo.ZooError, AttributeError) as e: print(e)", files)
    assert done.stdout.endswith(f"is not installed: pip install 'zoo-core[{name}]'\n"), done.stderr


def test_only_what_an_extra_brings_is_explained():
    assert explain(ModuleNotFoundError("no", name="nonesuch.deep")) is None
    assert explain(ModuleNotFoundError("no", name="numpy")) is None
    with pytest.raises(Exception, match=r"x needs nonesuch, which is not installed: pip install 'zoo-mine\[y\]'"):
        need("x", "nonesuch", install="zoo-mine[y]")
