"""MaxEntScan gives what its authors print, by tables that are not ours."""

import hashlib
from importlib.metadata import PackageNotFoundError, distribution

import numpy as np
import pytest

from zoo.cli.main import main
from zoo.data.codes import encode
from zoo.errors import HubError
from zoo_splice.maxent import maxentscan
from zoo_splice.maxent.maxentscan import FLOOR, MaxEntScan, installed_maxentscan, maxent_baselines
from zoo_splice.site_models import PLACES

DONOR, ACCEPTOR = "cagGTAAGT", "ttccaaacgaacttttgtAGgga"
PRINTED = {DONOR: 10.858313101356437, ACCEPTOR: 2.8867730651152104}
"""As the page of maxentpy shows them."""

ROUNDED = {
    "gagGTAAGT": 11.08, "taaATAAGT": -0.12, "tgtctttttctgtgtggcAGtgg": 8.19, "ttctctcttcagacttatAGcaa": -0.08,
}  # fmt: skip
SIZES = [4**7] * 5 + [4**3, 4**4, 4**3, 4**4]
WORDS = [
    (15680, 0.3482273), (6175, 0.3179151), (16104, 5.341889), (96, 0.01723665), (8187, 9.509973), (0, 0.1985605),
    (96, 0.0949865), (31, 3.010408), (251, 3.64624),
]  # fmt: skip
"""Number and value of each word of the acceptor."""

DONOR_NUMBER, DONOR_VALUE = 4619, 117.8629


def has_tables():
    try:
        return distribution("multimolecule").version == "0.2.2"
    except PackageNotFoundError:
        return False


@pytest.fixture
def model():
    """With the ten numbers that the two printed scores are made of, and ones elsewhere."""
    acceptor = [np.ones(size) for size in SIZES]
    for table, (number, value) in zip(acceptor, WORDS, strict=True):
        table[number] = value
    donor = np.ones(4**7)
    donor[DONOR_NUMBER] = DONOR_VALUE
    return MaxEntScan((acceptor, [donor]))


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """installed(donors, acceptors): a distribution called multimolecule with such tables, pinned."""

    def install(donors, acceptors):
        folder = tmp_path / "multimolecule" / "models" / "maxentscan"
        folder.mkdir(parents=True)
        names = {"_DONORS": ("score5_me2x5.txt", donors), "_ACCEPTORS": ("score3_me2x3acc.txt", acceptors)}
        for constant, (name, text) in names.items():
            (folder / name).write_text(text)
            place, digest = getattr(maxentscan, constant).rpartition("@")[0], hashlib.sha256(text.encode()).hexdigest()
            monkeypatch.setattr(maxentscan, constant, f"{place}@{digest}")
        info = tmp_path / "multimolecule-0.2.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: multimolecule\nVersion: 0.2.2\n")
        record = [f"multimolecule/models/maxentscan/{name},," for name, _ in names.values()]
        (info / "RECORD").write_text("\n".join(record) + "\n")
        monkeypatch.syspath_prepend(tmp_path)
        installed_maxentscan.cache_clear()

    yield install
    installed_maxentscan.cache_clear()


def texts(model):
    donors, acceptors = model.tables[1][0], np.concatenate(model.tables[0])
    lines = ["\n".join(map(repr, x.tolist())) + "\n" for x in (donors, acceptors)]
    return lines[0], "# sizes\n" + lines[1]


def test_the_two_values_that_its_authors_print(model):
    assert model.donors(encode(DONOR)) == pytest.approx(PRINTED[DONOR], abs=1e-9)
    assert model.acceptors(encode(ACCEPTOR)) == pytest.approx(PRINTED[ACCEPTOR], abs=1e-9)


@pytest.mark.skipif(not has_tables(), reason="multimolecule 0.2.2 is not installed")
def test_the_installed_tables_give_all_values_that_its_authors_print():
    installed_maxentscan.cache_clear()
    whole = installed_maxentscan()
    for site, value in {**PRINTED, **ROUNDED}.items():
        odds = (whole.donors if len(site) == 9 else whole.acceptors)(encode(site))
        assert odds == pytest.approx(value, abs=1e-9 if site in PRINTED else 0.005)


def test_every_base_is_scored_as_the_site_that_it_would_be(model):
    sequence = encode("ACGTACGT" + ACCEPTOR + "ACGT" + DONOR + "NACGTACGTA")
    score = model.score(sequence[None])[0]
    assert score.shape == (2, len(sequence))
    assert score[0, 8 + PLACES[0]] == pytest.approx(PRINTED[ACCEPTOR], rel=1e-6)
    assert score[1, 8 + 23 + 4 + PLACES[1]] == pytest.approx(PRINTED[DONOR], rel=1e-6)
    at_n = 8 + 23 + 4 + 9
    assert (score[1, at_n - 6 : at_n + 3] == FLOOR).all()
    assert (score[0, :20] == FLOOR).all()
    assert score[:, 20 : at_n - 6].min() > FLOOR


def test_an_n_has_no_odds(model):
    assert np.isnan(model.donors(encode("cagGTNAGT")))
    assert np.isnan(model.acceptors(encode("n" + ACCEPTOR[1:])))


def test_tables_are_read_from_the_installed_distribution_and_compared(model, installed, tmp_path, capsys):
    installed(*texts(model))
    assert main(["maxentscan", DONOR, ACCEPTOR, "cagGTNAGT", "cag"]) == 0
    out = capsys.readouterr().out
    rows = [line.split("\t") for line in out.splitlines() if not line.startswith("##")]
    assert [row[2:4] for row in rows[1:]] == [
        ["ok", "donor"], ["ok", "acceptor"], ["non_acgt", "donor"], ["wrong_length", "NA"],
    ]  # fmt: skip
    assert float(rows[1][4]) == pytest.approx(PRINTED[DONOR], abs=1e-5)
    assert "AGPL-3.0; the tables are of Yeo and Burge" in out
    assert [b.name for b in maxent_baselines()] == ["MaxEntScan"]
    (tmp_path / "multimolecule" / "models" / "maxentscan" / "score5_me2x5.txt").write_text("1\n" * 4**7)
    installed_maxentscan.cache_clear()
    with pytest.raises(HubError, match=r"has the sha256 .* pip install --no-deps 'multimolecule==0\.2\.2', under its"):
        installed_maxentscan()


def test_without_the_distribution_a_sentence_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(maxentscan, "_DONORS", maxentscan._DONORS.replace("multimolecule", "nowhere-to-be-had"))
    installed_maxentscan.cache_clear()
    assert main(["maxentscan", DONOR]) == 1
    error = capsys.readouterr().err
    assert "is not installed" in error
    assert "pip install --no-deps 'multimolecule==0.2.2', under its terms (AGPL-3.0" in error
    assert maxent_baselines() == []
    installed_maxentscan.cache_clear()


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: t * 0, lambda t: t * np.nan])
def test_tables_that_cannot_be_are_refused(model, change):
    acceptor, donor = model.tables
    with pytest.raises(HubError, match="must hold"):
        MaxEntScan((acceptor, [change(donor[0])]))
