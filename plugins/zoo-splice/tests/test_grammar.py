"""The interaction of an exonic enhancer and a silencer: planted as stated, and found by what is trained on it."""

import numpy as np
import pytest

import zoo
from zoo.cli.main import main
from zoo.config import compose
from zoo.data.codes import decode, encode
from zoo.errors import ConfigError
from zoo.files.tables import read_table
from zoo.training.run import train
from zoo_splice.interaction import additive_predictor, learnt_interaction, predictor
from zoo_splice.simulated_exons import ExonElements, SimulatedExons, shuffled

ELEMENTS = ExonElements()


def test_rows_hold_what_the_truth_says_where_it_says():
    source = SimulatedExons(n_train=10, n_validation=10, n_test=501)
    batch, truth = source.examples("test").batch(np.arange(501)), source.truth("test")
    texts = [decode(x) for x in batch["codes"]]
    for i, text in enumerate(texts):
        for name in ("enhancer", "silencer"):
            site, at = getattr(ELEMENTS, name), truth[f"{name}_start"][i]
            assert (text[at : at + 8] == site) == truth[name][i]
            assert sorted(text[at : at + 8]) == sorted(site)
        first, second = sorted((truth["enhancer_start"][i], truth["silencer_start"][i]))
        assert second - first - 8 == truth["gap"][i]
        assert truth["downstream"][i] == (truth["silencer_start"][i] == second)
    both = truth["enhancer"] & truth["silencer"]
    expected = np.where(truth["downstream"], -1.5, 1.5) * np.exp(-truth["gap"] / 15) * both
    np.testing.assert_allclose(truth["interaction"], expected)
    np.testing.assert_allclose(truth["main"], truth["enhancer"] * 1.0 - truth["silencer"])
    noise = batch["target/inclusion"][:, 0] - truth["main"] - truth["interaction"]
    assert noise.std() == pytest.approx(0.1, rel=0.15)


def test_both_orders_are_alike_often_at_every_gap_so_that_the_interaction_is_0_on_the_mean():
    truth = SimulatedExons(n_train=10, n_validation=10, n_test=1_000).truth("test")
    assert truth["interaction"].mean() == pytest.approx(0, abs=1e-12)
    keys = np.stack([truth["gap"], truth["enhancer"], truth["silencer"]])
    one, other = (keys[:, rows] for rows in (truth["downstream"], ~truth["downstream"]))
    np.testing.assert_array_equal(one[:, np.lexsort(one)], other[:, np.lexsort(other)])


def test_shuffled_letters_are_those_of_the_site_and_never_the_site():
    for letters in (ELEMENTS.enhancer, ELEMENTS.silencer, "AAAC", "ACGT"):
        site = encode(letters)
        rows = shuffled(site, 500, np.random.default_rng(0))
        assert (np.sort(rows, axis=1) == np.sort(site)).all()
        assert (rows != site).any(1).all()


def test_the_additive_model_explains_nothing_of_the_interaction_and_the_truth_all_of_it():
    source = SimulatedExons(n_train=2_000, n_validation=10, n_test=1_000)
    additive = learnt_interaction(additive_predictor(source), source)
    assert abs(additive.r2) < 0.01
    truth = source.truth("test")
    assert additive.n == (truth["enhancer"] & truth["silencer"]).sum()

    def oracle(codes):
        texts, (e, s) = [decode(x) for x in codes], (ELEMENTS.enhancer, ELEMENTS.silencer)
        at = np.array([(text.find(e), text.find(s)) for text in texts])
        there, downstream = at >= 0, at[:, 1] > at[:, 0]
        interaction = ELEMENTS.interaction(np.abs(at[:, 1] - at[:, 0]) - 8, downstream) * there.all(1)
        return there @ [1.0, -1.0] + interaction

    assert learnt_interaction(oracle, source).r2 > 0.97


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"length": 60}, "use 66 or more"),
        ({"elements": {"enhancer": "GAX"}}, "4 bases or more, two kinds"),
        ({"elements": {"decay": 0}}, "above 0"),
        ({"elements": {"gap": 3}}, "no 'gap'"),
    ],
)
def test_impossible_elements_are_refused(changed, message):
    with pytest.raises(ConfigError, match=message):
        SimulatedExons(**changed)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    small = ["data.n_train=10_000", "data.n_validation=1_000", "evaluation.bootstrap=50"]
    quiet = ["trainer.logger=none", "trainer.bar=false"]
    folder = tmp_path_factory.mktemp("grammar") / "run"
    result = train(compose(["experiment=grammar_simulated", *small, *quiet, f"output_dir={folder}"]))
    return result.model_folder


@pytest.mark.slow
@pytest.mark.xdist_group("exons")
def test_a_trained_network_has_learnt_the_interaction(model):
    found = learnt_interaction(predictor(zoo.load(str(model))), SimulatedExons(n_train=10))
    assert found.n > 1_000
    assert found.r2 > 0.8
    assert found.low < found.r2 < found.high


@pytest.mark.slow
@pytest.mark.xdist_group("exons")
def test_motif_spacing_draws_the_planted_curve_of_either_order(model, tmp_path):
    where = ["--model", str(model), "--gaps", "0..50..5", "--backgrounds", "40"]
    assert main(["motif-spacing", ELEMENTS.enhancer, ELEMENTS.silencer, *where, "-o", str(tmp_path / "s.tsv")]) == 0
    rows = [row for row in read_table(tmp_path / "s.tsv")[1] if row["orientation"] == "++"]
    for order, downstream in (("first-second", True), ("second-first", False)):
        some = sorted((int(r["gap"]), float(r["synergy"])) for r in rows if r["order"] == order)
        gap, synergy = np.array(some).T
        planted = ELEMENTS.interaction(gap, np.full(len(gap), downstream))
        assert len(gap) == 11
        assert np.corrcoef(synergy, planted)[0, 1] > 0.95
        assert np.abs(synergy - planted).max() < 0.4


@pytest.mark.slow
@pytest.mark.xdist_group("exons")
def test_epistasis_of_two_variants_that_break_the_elements_is_the_interaction(model, tmp_path):
    """Both variants take an element away, so that the mixed difference is f(none) - f(one) - f(other) + f(both)."""
    rng, fasta, vcf, planted = np.random.default_rng(5), [], [], {}
    random = rng.integers(0, 4, (12, 300)).astype(np.uint8)
    for i, (gap, downstream) in enumerate((gap, order) for gap in (0, 4, 10, 18, 28, 45) for order in (True, False)):
        sites = [ELEMENTS.enhancer, ELEMENTS.silencer][:: 1 if downstream else -1]
        at = 150 - (16 + gap) // 2
        text, name = decode(random[i]), f"exon{i}"
        text = text[:at] + sites[0] + text[at + 8 : at + 8 + gap] + sites[1] + text[at + 16 + gap :]
        fasta.append(f">{name}\n{text}\n")
        for start, site in ((at, sites[0]), (at + 8 + gap, sites[1])):
            broken = decode(shuffled(encode(site), 1, rng)[0])
            vcf.append(f"{name}\t{start + 1}\t.\t{site}\t{broken}\t.\t.\t.")
        planted[name] = float(ELEMENTS.interaction(np.array(gap), np.array(downstream)))
    (tmp_path / "e.fa").write_text("".join(fasta))
    (tmp_path / "e.vcf").write_text(
        "\n".join(["##fileformat=VCFv4.2", "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO", *vcf, ""])
    )
    words = ["epistasis", str(tmp_path / "e.vcf"), "--model", str(model), "--fasta", str(tmp_path / "e.fa")]
    assert main([*words, "--max-distance", "90", "--shuffles", "0", "-o", str(tmp_path / "e.tsv")]) == 0
    rows = read_table(tmp_path / "e.tsv")[1]
    assert len(rows) == 12
    contig = next(key for key in rows[0] if key.startswith("chrom"))
    measured = np.array([float(row["epistasis"]) for row in rows])
    expected = np.array([planted[row[contig]] for row in rows])
    assert np.corrcoef(measured, expected)[0, 1] > 0.9
    assert (np.sign(measured) == np.sign(expected))[np.abs(expected) > 0.2].all()
