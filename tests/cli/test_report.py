"""`zoo report`: one command, one file, and how a browser shows it."""

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest

import zoo as package
from zoo.registry import registry

QUICK = ("--interpreter", "ism", "--n", "4")
SHIPPED = Path(package.__file__).parent / "weights" / "ctcf-motif-cnn"
HOSTILE = "<script>document.title='owned'</script><img src=http://127.0.0.1:9/x onerror=\"document.title='owned'\">"


@pytest.fixture
def own_sections(monkeypatch):
    """The core's sections alone, whatever plugins are installed."""
    known = registry()
    kept = {k: c for k, c in known.components.items() if k[0] != "section" or c.owner == "zoo-core"}
    monkeypatch.setattr(known, "components", kept)


def words(path):
    """What a page says, without its tags."""
    html = re.sub(r"<style>.*?</style>", "", path.read_text(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def test_a_published_model_is_reported_on_without_its_data(zoo, tmp_path, own_sections):
    out = tmp_path / "report.html"
    code, stdout, err = zoo("report", "ctcf-motif-cnn", "-o", str(out), *QUICK, "--no-validation")
    assert (code, stdout) == (0, "")
    assert "note: The data that the model was made with are not at hand" in err
    assert re.search(rf"wrote {out}: 4 sections, \d", err)
    text = words(out)
    assert "How good is it? ✓ good: AUROC 0.897 [0.883, 0.909]" in text
    assert "as stored with the model by whoever published it" in text
    assert "look at the filters, not at the tracks" in text
    assert "were not validated" in text
    assert f"with zoo report ctcf-motif-cnn -o {out} --interpreter ism --n 4 --no-validation ." in text


def test_sequences_of_a_file_are_explained_under_their_own_names(zoo, tmp_path, own_sections):
    records = "".join(f">row_{i} <b>&\n{'ACGT'[i] * 90 + 'TGGCCACCAGGGGGCGCTA' + 'ACGT'[i] * 91}\n" for i in range(4))
    (tmp_path / "x.fa").write_text(records)
    out = tmp_path / "report.html"
    code, _, _ = zoo(
        "report", "ctcf-motif-cnn", "-o", str(out), *QUICK, "--no-validation", "--sequences", str(tmp_path / "x.fa")
    )
    assert code == 0
    assert re.search(r"row_\d <b>&: CTCF:raw = [\d.]+ \(probability (0\.9|1\.0)", words(out))
    assert "among all 4 sequences of x.fa" in words(out)


def test_a_section_that_fails_is_told_and_the_exit_code_is_1(zoo, tmp_path, own_sections):
    registry().add("section", "weather", "nowhere.at.all:section")
    out = tmp_path / "report.html"
    code, _, err = zoo("report", "ctcf-motif-cnn", "-o", str(out), *QUICK, "--no-validation")
    assert code == 1
    assert "section weather failed: UnknownComponent" in err
    assert "This section failed and holds no result." in words(out)
    assert "What it reads in a sequence" in words(out)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "report.pdf"], "end it in .html"),
        (["--set", "start=3"], "--set changes an argument of --interpreter"),
        (["--interpreter", "ism", "--set", "leaves=3"], "has no 'leaves'"),
        (["--bed", "x.bed"], "give --fasta beside --bed"),
        (["--output", "SPI1"], "has no output 'SPI1'"),
        (["-o", "nowhere/report.html", *QUICK, "--no-validation"], "folder nowhere for report.html does not exist"),
    ],
)
def test_mistakes_are_one_line(zoo, tmp_path, monkeypatch, own_sections, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, _, err = zoo("report", "ctcf-motif-cnn", *arguments)
    assert code == 1
    assert message in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The report of a run on simulated data, whose description is a stranger's, with all that is on by default."""
    from zoo.cli.main import main
    from zoo.hub.loader import load

    folder = tmp_path_factory.mktemp("browser")
    run = folder / "run"
    (run / "logs").mkdir(parents=True)
    model = load("ctcf-motif-cnn")
    model.spec = model.spec.replace(
        description=f"Does CTCF bind? {HOSTILE}", data={"name": HOSTILE}, licence="x" * 10**5
    )
    _save(model, run / "model")
    data = {"name": "simulated", "n_train": 400, "n_validation": 50, "n_test": 300}
    (run / "config.json").write_text(json.dumps({"data": data}))
    lines = [f"{e},{e * 9 + 8},,{1 / (e + 1)}\n,{e * 9 + 1},{1 / (e + 1)}," for e in range(5)]
    (run / "logs" / "metrics.csv").write_text("epoch,step,train/loss,validation_loss\n" + "\n".join(lines) + "\n")
    out = folder / "report.html"
    assert main(["report", str(run), "-o", str(out), "--n", "40", "--n-validation", "12"]) in (0, 1)
    return out


def _save(model, folder):
    import numpy as np

    from zoo.data.sources.simulation import Simulated
    from zoo.hub.model_folder import save_bundle

    save_bundle(model, folder, Simulated(n_test=8).examples("test").batch(np.arange(8)))


@pytest.fixture
def chromium(tmp_path):
    """chromium(page, "--dump-dom", width=390) -> (stdout, what the page said on the console)."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("needs a browser: apt-get install chromium")
    quiet = ("gpu", "quic", "background-networking", "component-update", "sync")

    def call(page, *arguments, width=1280, height=2000):
        profile = tmp_path / "profile"
        command = [found, "--headless", "--no-sandbox", "--no-first-run", *(f"--disable-{what}" for what in quiet)]
        command += [f"--user-data-dir={profile}", "--enable-logging=stderr", "--v=0", "--hide-scrollbars"]
        command += [f"--window-size={width},{height}", *arguments, page.as_uri()]
        done = subprocess.run(command, capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr.decode()[-2000:]
        said = [line for line in done.stderr.decode(errors="replace").splitlines() if "CONSOLE" in line]
        shutil.rmtree(profile, ignore_errors=True)
        return done.stdout.decode(errors="replace"), said

    return call


@pytest.mark.slow
def test_a_browser_shows_it_and_has_nothing_to_complain_of(report, chromium):
    dom, said = chromium(report, "--dump-dom")
    assert said == []
    assert "<title>ctcf-motif-cnn: model report</title>" in dom
    headings = [unescape(h) for h in re.findall(r"<h2>(.*?)</h2>", dom)]
    wanted = [
        "What the model is",
        "How good it is",
        "What it reads in a sequence",
        "Whether to believe the attributions",
    ]
    assert [h for h in headings if h in wanted] == wanted
    assert re.search(r"Is the attribution faithful to the model\? (Yes|No|Unsure): over 12 sequences", unescape(dom))
    assert "Does CTCF bind? &lt;script&gt;" in dom
    assert "<script" not in dom
    assert not re.findall(r"(?:src|href)=\"(?!data:image/png;base64,|#)[^\"]*", dom)
    assert dom.count("<img") == len(re.findall(r"<img[^>]* alt=\"[^\"]{10,}\"", dom)) >= 8
    assert len(dom) < 6_000_000


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390, 320])
def test_nothing_leaves_the_screen_sideways(report, chromium, tmp_path, width):
    """A frame of the width asks a copy of the page, in which scripts may run, how wide it is."""
    asks = "<script>parent.postMessage([document.documentElement.scrollWidth,innerWidth].join('/'),'*')</script>"
    copy = re.sub(r"<meta http-equiv=\"Content-Security-Policy\"[^>]*>", "", report.read_text())
    (tmp_path / "copy.html").write_text(copy.replace("</body>", f"{asks}</body>"))
    (tmp_path / "frame.html").write_text(
        "<script>onmessage = event => document.title = event.data</script>"
        f"<iframe src='copy.html' style='width:{width}px;height:3000px;border:0'></iframe>"
    )
    dom, _ = chromium(tmp_path / "frame.html", "--dump-dom", "--virtual-time-budget=10000")
    assert re.search(r"<title>(.*?)</title>", dom)[1] == f"{width}/{width}"


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_a_picture_of_it_is_neither_blank_nor_dark(report, chromium, tmp_path, width):
    import numpy as np
    from PIL import Image

    chromium(report, f"--screenshot={tmp_path / 'shot.png'}", width=width, height=3000)
    pixels = np.asarray(Image.open(tmp_path / "shot.png").convert("L"))
    assert pixels.shape == (3000, width)
    assert (pixels > 240).mean() > 0.7
    assert (pixels[:1000] < 90).mean() > 0.002
    assert (pixels[2000:] < 90).mean() > 0.002


@pytest.mark.slow
def test_it_prints_on_a_few_pages(report, chromium, tmp_path):
    chromium(report, f"--print-to-pdf={tmp_path / 'report.pdf'}", "--no-pdf-header-footer")
    pdf = (tmp_path / "report.pdf").read_bytes()
    assert pdf.startswith(b"%PDF")
    assert 3 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 20
