"""The guides are run, and what they show is held against what the run prints.

Every `sh` and `python` block of a guide (`docs/**/*.md`) runs, in order, in one folder a guide.

- A `text` block behind it shows what it prints on stdout, or on stderr where that is all, and all of it: `...` alone
  on a line stands for any lines, elsewhere for any characters; a run of blanks equals another.
- `0.95<!-- printed -->` in a paragraph is a number that the last block above it has printed.
- A number with a point may be off by 5 %, or by one in its last digit: machines round differently, and training
  amplifies it. Every other number is the same.
- Any other figure (two decimals or more, seconds, gigabytes) stands in a section that links to benchmarks.md, where it
  says how it was measured, or names the program of `benchmarks/` that prints it.

`zoo` and `python` start as forks of a process that has imported torch (zoo_server.py), and in the guides SHELL as
users start them.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
GUIDES = sorted(DOCS.rglob("*.md"))
SHELL = ("effects", "bring_your_network")
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```[ ]*$", re.DOTALL | re.MULTILINE)
NUMBER = r"[-+]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?"
STANDS_ALONE = re.compile(rf"(?<![\w.:/])(?<![\w)]-){NUMBER}(?![\w:/]|\.\d)")
PRINTED = re.compile(rf"({NUMBER})[^\w\s]*<!-- printed -->")
FIGURE = re.compile(r"(?<![\w.=-])\d+\.\d{2,}(?![\w.]*\d)|(?<![\w.])\d[\d,.]* (?:s|ms|min|minutes|hours|GB|MB)\b")


class Block(NamedTuple):
    """A fenced block that runs."""

    language: str
    code: str
    shown: str | None  # the `text` block right behind it
    prose: str  # from here to the next block that runs


def blocks_of(text):
    fences = list(FENCE.finditer(text))
    runs = [i for i, fence in enumerate(fences) if fence[1] in ("sh", "python")]
    blocks = []
    for i, following in zip(runs, runs[1:] + [None] * (len(runs) > 0), strict=True):
        end = len(text) if following is None else fences[following].start()
        shown = None
        if i + 1 < len(fences) and fences[i + 1][1] == "text":
            between = text[fences[i].end() : fences[i + 1].start()]
            shown = fences[i + 1][2] if not between.strip() else None
        blocks.append(Block(fences[i][1], fences[i][2], shown, text[fences[i].end() : end]))
    return blocks


def is_close(shown, real):
    """Whether a number of a guide agrees with the run's, both as they are printed."""
    if shown == real:
        return True
    if "." not in shown + real:
        return False
    digits = len(shown.partition("e")[0].partition(".")[2])
    exponent = int(shown.partition("e")[2] or 0)
    a, b = (float(number.replace(",", "")) for number in (shown, real))
    return abs(a - b) <= max(0.05 * abs(a), 1.001 * 10.0 ** (exponent - digits))


def same_line(shown, real):
    """Whether a line of a guide agrees with one that was printed."""
    pattern, numbers = "", []
    for blank, dots, number, other in re.findall(rf"(\s+)|(\.\.\.)|({STANDS_ALONE.pattern})|(.)", shown.strip()):
        pattern += r"\s+" if blank else ".*?" if dots else f"({NUMBER})" if number else re.escape(other)
        numbers += [number] if number else []
    match = re.fullmatch(pattern, real.strip())
    return match is not None and all(map(is_close, numbers, match.groups()))


def first_difference(shown, printed):
    """The first line of `shown` that `printed` lacks at its place, None where all are there."""
    real = iter([line for line in printed.splitlines() if line.strip()])
    skipping = False
    for line in filter(str.strip, shown.splitlines()):
        if line.strip() == "...":
            skipping = True
        elif not any(same_line(line, other) for other in (real if skipping else [next(real, "")])):
            return line
        else:
            skipping = False
    rest = None if skipping else next(real, None)
    return None if rest is None else f"(no more than this, but it printed:) {rest}"


@pytest.mark.parametrize(
    ("shown", "printed", "agree"),
    [
        ("auroc 0.952 [0.938, 0.964]\n", "auroc   0.955  [0.93, 0.97]\n", True),
        ("auroc 0.952\n", "auroc 0.852\n", False),
        ("loss 0.003\n", "loss 0.004\n", True),
        ("n = 1,000\n", "n = 1,001\n", False),
        ("chr20:461 +1.5e-3\n", "chr20:461 +1.52e-3\n", True),
        ("chr20:461\n", "chr20:462\n", False),
        ("a\n...\nd\n", "a\nb\nc\nd\n", True),
        ("a\n...\nd\n", "a\nb\nc\nd\ne\n", False),
        ("a\n...\n", "a\n", True),
        ("a\nb\n", "a\n", False),
        ("run  .../runs/first/...\n", "run    /home/me/runs/first/2026-11-30\n", True),
        ("b\n", "a\nb\n", False),
    ],
)
def test_what_is_shown_is_compared(shown, printed, agree):
    assert (first_difference(shown, printed) is None) == agree


def test_a_block_is_read_with_what_it_shows_and_the_prose_behind_it():
    one, other = blocks_of(
        "```sh\nzoo list\n```\n\n```text\na  1\n```\nThe n is 5<!-- printed -->.\n```python\n1\n```\n```toml\n```\n"
    )
    assert (one.language, one.code, one.shown) == ("sh", "zoo list\n", "a  1\n")
    assert PRINTED.findall(one.prose) == ["5"]
    assert (other.language, other.code, other.shown) == ("python", "1\n", None)


def test_the_guides_are_found():
    assert {g.stem for g in GUIDES} >= {"train", "share", "plugins", "benchmarks", "interpret", "effects", "variants"}


@pytest.mark.parametrize("guide", [g for g in GUIDES if g.name != "benchmarks.md"], ids=lambda g: g.stem)
def test_a_figure_that_no_run_prints_says_where_it_was_measured(guide):
    unexplained = []
    for section in re.split(r"^(?=#)", FENCE.sub("", guide.read_text()), flags=re.MULTILINE):
        if "benchmarks.md" not in section and "benchmarks/" not in section:
            unexplained += FIGURE.findall(PRINTED.sub("", section))
    assert unexplained == []


def environment(**more):
    env = {name: value for name, value in os.environ.items() if name != "ZOO_HUB"}
    return {**env, "COLUMNS": "100", "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg", **more}


def installs_into(folder):
    """What has `pip install` put a package that a guide makes where this guide alone finds it."""
    found = [os.environ.get("PYTHONPATH", ""), str(folder)]
    pip = {"TARGET": str(folder), "NO_DEPS": "1", "NO_INDEX": "1", "NO_BUILD_ISOLATION": "0"}
    return {"PYTHONPATH": os.pathsep.join(filter(None, found)), **{f"PIP_{name}": value for name, value in pip.items()}}


# The longest first: training, and the report, whose motif search compiles for a minute in a fresh environment.
FIRST = ("report", "train", "share", "variants")
RUNNABLE = sorted((g for g in GUIDES if blocks_of(g.read_text())), key=lambda g: (*FIRST, g.stem).index(g.stem))


@pytest.mark.slow
@pytest.mark.parametrize(
    "guide", [pytest.param(g, marks=pytest.mark.xdist_group(f"guide {g.stem}"), id=g.stem) for g in RUNNABLE]
)
def test_a_guide_does_what_it_says(guide, tmp_path, request):
    programs = Path(sys.executable).parent if guide.stem in SHELL else request.getfixturevalue("forks")
    path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
    env = environment(PATH=path, ZOO_CACHE=str(tmp_path / "cache"), **installs_into(tmp_path / "site"))
    for language, code, shown, prose in blocks_of(guide.read_text()):
        command = ["bash", "-euo", "pipefail", "-c", code] if language == "sh" else [f"{programs}/python", "-c", code]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, f"{code}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        if shown is not None:
            difference = first_difference(shown, done.stdout or done.stderr)
            assert difference is None, f"{difference}\n{code}\n{done.stdout}\n{done.stderr[-3000:]}"
        printed = [m[0] for m in STANDS_ALONE.finditer(done.stdout)]
        for number in PRINTED.findall(prose):
            assert any(is_close(number, other) for other in printed), f"{number} is not in\n{done.stdout}"
