"""Scores of variants: planted truth, one spelling as good as another, and what full inference would say."""

import numpy as np
import pytest
import torch

import zoo
from zoo.data.codes import decode, encode, reverse_complement
from zoo.data.genome import Genome
from zoo.effects.variants.allele_windows import cut
from zoo.effects.variants.scorer import Scorer
from zoo.effects.variants.scores import difference, gain_loss, get_scores, jensen_shannon, log2_fold_change
from zoo.errors import ConfigError, UnknownComponent
from zoo.fields import Field, Grid
from zoo.interfaces import Encoder, Head
from zoo.model import Model, build
from zoo.registry import registry
from zoo.spec import ModelSpec
from zoo.variants.files import read_variants

SITE = "TGGCCACCAGGGGGCGCTA"
AT = 1000


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    codes = np.random.default_rng(3).integers(0, 4, 3000).astype(np.uint8)
    codes[AT : AT + len(SITE)] = encode(SITE)
    codes[2000:2020] = encode("ACACACACACACACACACAC")
    codes[2400:2600] = 4
    path = tmp_path_factory.mktemp("genome") / "g.fa"
    path.write_text(f">chr1\n{decode(codes)}\n")
    return Genome(path)


@pytest.fixture(scope="module")
def letters(genome):
    return decode(genome.fetch("chr1", 0, 3000))


@pytest.fixture(scope="module")
def ctcf():
    return zoo.load("ctcf-motif-cnn")


@pytest.fixture(scope="module")
def profiler():
    """A dilated network with a number and a profile in bins of 1 bp, of random weights."""
    if "dilated_cnn" not in registry().names("encoder"):
        pytest.skip("zoo-dilated-cnn is not installed")
    known, inject = registry(), {"in_channels": 8, "resolution": 1, "bin_size": 1}
    encoder = {"name": "dilated_cnn", **known.resolve("encoder", "dilated_cnn", {"channels": 8, "layers": 2})}
    heads = {
        "counts": {"name": "scalar", **known.resolve("head", "scalar", {"tasks": ["counts"]}, inject)},
        "reads": {"name": "profile", **known.resolve("head", "profile", {"tasks": ["reads"], "crop": 20}, inject)},
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return build(ModelSpec("p", encoder, heads, 120, activation={"reads": "softplus"})).eval()


def typed(letters, *variants):
    """(position 0-based, bases replaced, letters) with an anchor base where one is needed -> text as typed."""
    return [f"chr1:{p + 1}:{letters[p : p + n]}>{a}" for p, n, a in variants]


def scores(model, genome, variants, **options):
    (chunk,) = read_variants(variants, genome)
    found = Scorer(model, genome, **options)(chunk)
    return found


def window(letters, start, length=200):
    return encode(letters[start : start + length])[None]


def raw(model, codes):
    with torch.no_grad():
        return float(model({"codes": torch.from_numpy(codes)})["binding"][0, 0])


def test_breaking_the_site_lowers_and_distant_changes_do_little(ctcf, genome, letters):
    inside, outside = (AT + 10, 1, "T"), (AT + 70, 1, "A" if letters[AT + 70] != "A" else "C")
    worse = (AT + 8, 4, letters[AT + 8])
    found = scores(ctcf, genome, typed(letters, inside, outside, worse), output="CTCF:raw").values[:, 0]
    assert found[2] < found[0] < -1
    assert abs(found[1]) < 0.3


def test_a_site_that_a_variant_makes_raises_the_output(ctcf, tmp_path):
    codes = np.random.default_rng(5).integers(0, 4, 600).astype(np.uint8)
    broken = SITE[:9] + "T" + SITE[10:]
    codes[300 : 300 + len(SITE)] = encode(broken)
    (tmp_path / "h.fa").write_text(f">chr1\n{decode(codes)}\n")
    genome = Genome(tmp_path / "h.fa")
    found = scores(ctcf, genome, ["chr1:310:T>G"], output="CTCF:raw")
    assert found.status.tolist() == ["ok"]
    assert found.values[0, 0] > 2


def test_one_variant_has_one_score_to_the_bit_however_it_is_spelt(ctcf, genome, letters):
    p = AT + 6
    new = "ACGT"[("ACGT".index(letters[p]) + 1) % 4]
    three = [(p, 1, new), (p - 1, 2, letters[p - 1] + new), (p - 1, 4, letters[p - 1] + new + letters[p + 1 : p + 3])]
    found = scores(ctcf, genome, typed(letters, *three), output="CTCF:raw").values[:, 0]
    assert found[0] == found[1] == found[2]
    repeats = [(2003, 3, letters[2003]), (2009, 3, letters[2009]), (2004, 4, letters[2004:2006])]
    found = scores(ctcf, genome, typed(letters, *repeats), output="CTCF:raw").values[:, 0]
    assert found[0] == found[1] == found[2]


def test_numbers_are_those_of_the_model_on_both_sequences(ctcf, genome, letters):
    p, new = AT + 4, "A" if letters[AT + 4] != "A" else "G"
    reference = window(letters, p - 100)
    alternate = reference.copy()
    alternate[0, 100] = encode(new)[0]
    expected = raw(ctcf, alternate) - raw(ctcf, reference)
    found = scores(ctcf, genome, typed(letters, (p, 1, new)), output="CTCF:raw").values[0, 0]
    assert found == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("bases", "put"), [(4, "ANCHOR"), (1, "ANCHORGATTA")])
def test_the_window_of_an_indel_keeps_the_rim_that_was_asked_for(ctcf, genome, letters, bases, put):
    given = AT + 12
    (chunk,) = read_variants(typed(letters, (given, bases, put.replace("ANCHOR", letters[given]))), genome)
    p, bases, new = int(chunk.norm_pos[0]), len(chunk.norm_ref[0]), chunk.norm_alt[0]
    assert given - 5 < p <= given
    shift = len(new) - bases
    alternate = letters[:p] + new + letters[p + bases :]
    reference = raw(ctcf, window(letters, p - 100))
    left = raw(ctcf, window(alternate, p - 100)) - reference
    right = raw(ctcf, window(alternate, p - 100 + shift)) - reference
    for anchor, expected in (("left", left), ("right", right), ("both", (left + right) / 2)):
        found = Scorer(ctcf, genome, output="CTCF:raw", anchor=anchor)(chunk).values[0, 0]
        assert found == pytest.approx(expected, abs=1e-5), anchor
    assert left != pytest.approx(right, abs=1e-4)


def test_an_insertion_leaves_distant_positions_of_a_profile_where_they_were(profiler, genome, letters):
    p = 500
    for variant in ((p, 1, letters[p] + "TTT"), (p, 5, letters[p])):
        (chunk,) = read_variants(typed(letters, variant), genome)
        scorer = Scorer(profiler, genome, scores=["gain_loss"], output="counts", profile="reads")
        gain, gain_at, loss, loss_at = scorer(chunk).values[0]
        assert abs(gain_at) < 25
        assert abs(loss_at) < 25
        alleles = cut(chunk, np.array([0]), genome, 120)
        for anchor in ("left", "right"):
            outputs = scorer._aligned(scorer._engines[0], alleles, np.array([0]), anchor, {})[0, 1:]
            reference = scorer._engines[0].full(alleles.reference)[0, 1:]
            far = torch.arange(80)[(torch.arange(80) - 40).abs() > 30]
            same = far[~outputs[far].isnan()]
            assert len(same) > 10
            torch.testing.assert_close(outputs[same], reference[same], rtol=0, atol=1e-5)
        assert max(gain, loss) > 1e-3


def test_a_profile_before_the_activation_is_that_whatever_the_output_is(profiler, genome, letters):
    p = 500
    variant = typed(letters, (p, 1, "A" if letters[p] != "A" else "C"))
    codes = window(letters, p - 60, 120)
    with torch.no_grad():
        batch = {"codes": torch.from_numpy(codes)}
        expected = {"reads": profiler.predict(batch)["reads"], "reads:raw": profiler(batch)["reads"]}
    assert (expected["reads"] - expected["reads:raw"]).abs().max() > 0.1
    (chunk,) = read_variants(variant, genome)
    for name, values in expected.items():
        scorer = Scorer(profiler, genome, output="counts", scores=["gain_loss"], profile=name)
        found = scorer(chunk, profiles=True).profiles[0, 0]
        np.testing.assert_allclose(found, values[0, 0].numpy(), atol=1e-5)


def test_strands_and_shifts(ctcf, profiler, genome, letters):
    variants = typed(letters, (AT + 10, 1, "T"), (AT + 8, 4, letters[AT + 8]))
    forward = scores(profiler, genome, variants, output="counts").values
    both = scores(profiler, genome, variants, output="counts", strands="both").values
    average = scores(profiler, genome, variants, output="counts", strands="average").values
    assert both.shape == (2, 2)
    np.testing.assert_allclose(both[:, 0], forward[:, 0], atol=1e-6)
    assert np.abs(both[:, 1] - both[:, 0]).max() > 1e-4
    np.testing.assert_allclose(average[:, 0], both.mean(1), atol=1e-6)
    start = AT + 10 - 60
    codes = window(letters, start, 120)
    mutated = codes.copy()
    mutated[0, 60] = 3
    with torch.no_grad():
        there = [
            profiler({"codes": torch.from_numpy(reverse_complement(c).copy())})["counts"] for c in (codes, mutated)
        ]
    assert both[0, 1] == pytest.approx(float(there[1] - there[0]), abs=1e-5)
    each = [scores(ctcf, genome, variants, output="CTCF:raw", shifts=[s]).values for s in (-5, 0, 5)]
    together = scores(ctcf, genome, variants, output="CTCF:raw", shifts=[-5, 0, 5]).values
    np.testing.assert_allclose(together, np.mean(each, 0), atol=1e-5)


def test_variants_of_a_stretch_share_a_window_and_the_table_says_so(ctcf, genome, letters):
    variants = typed(letters, *[(p, 1, "ACGT"[("ACGT".index(letters[p]) + 2) % 4]) for p in range(AT, AT + 19)])
    (chunk,) = read_variants(variants, genome)
    scorer = Scorer(ctcf, genome, output="CTCF:raw", share=50)
    alleles = cut(chunk, np.arange(19), genome, 200, step=50)
    assert len(alleles.codes) == 1
    assert "50 bp" in scorer.comments["window"]
    near = Scorer(ctcf, genome, output="CTCF:raw")(chunk).values
    assert np.corrcoef(scorer(chunk).values[:, 0], near[:, 0])[0, 1] > 0.95


def test_every_row_that_has_no_score_says_why(ctcf, genome, letters):
    variants = [
        *typed(letters, (20, 1, "A" if letters[20] != "A" else "C"), (2395, 1, "A" if letters[2395] != "A" else "C"))
    ]
    variants += ["chr1:1001:<DEL>", "chr9:5:A>C"][1:]
    (chunk,) = read_variants(variants, genome)
    found = Scorer(ctcf, genome, output="CTCF:raw", max_n=0.3)(chunk)
    assert found.status.tolist() == ["out_of_bounds", "too_many_n", "contig_unknown"]
    assert np.isnan(found.values).all()


def test_pure_scores():
    zero, one = torch.tensor([1.0, 2.0]), torch.tensor([2.0, 1.0])
    assert difference(zero, one)[:, 0].tolist() == [1, -1]
    assert log2_fold_change(zero, one)[:, 0].tolist() == pytest.approx([1, -1], abs=1e-5)
    p = torch.tensor([[0.0, 1.0, 1.0], [1.0, 1.0, 0.0]])
    assert jensen_shannon(p, p * 3)[:, 0].tolist() == [0, 0]
    assert jensen_shannon(p, p.flip(0))[0, 0] == pytest.approx(0.5**0.5, abs=1e-6)
    holes = p.clone()
    holes[0, 0] = torch.nan
    assert jensen_shannon(p, holes)[0, 0] == 0
    assert jensen_shannon(-p, p).isnan().all()
    change = torch.zeros(1, 5)
    change[0, 0], change[0, 3] = -0.5, 0.25
    assert gain_loss(torch.zeros(1, 5), change).tolist() == [[0.25, 1, 0.5, -2]]
    assert gain_loss(torch.zeros(1, 5), torch.full((1, 5), torch.nan))[0, [0, 2]].tolist() == [0, 0]


def test_scores_are_registered_and_counted():
    owned = [n for n in registry().names("score") if registry().component("score", n).owner == "zoo-core"]
    assert owned == ["difference", "gain_loss", "jensen_shannon", "log2_fold_change"]
    assert all(s.unit and s.columns for s in get_scores(owned).values())
    with pytest.raises(UnknownComponent, match="did you mean 'difference'"):
        get_scores(["diference"])


def test_what_cannot_be_scored_is_said_before_anything_is_read(ctcf, genome):
    with pytest.raises(ConfigError, match="compares profiles: name one, as in --profile task"):
        Scorer(ctcf, genome, scores=["gain_loss"])
    with pytest.raises(ConfigError, match="share 150 must be 0, or at most half of the model's 200 bp"):
        Scorer(ctcf, genome, share=150)
    with pytest.raises(ConfigError, match="strands 'down' must be one of"):
        Scorer(ctcf, genome, strands="down")


def test_whole_profiles_of_both_alleles_are_kept_in_hdf5(profiler, genome, letters, tmp_path):
    h5py = pytest.importorskip("h5py")
    from zoo.effects.variants.job import ScoreJob

    p = 500
    variants = typed(letters, (p, 1, letters[p] + "TTT"), (p + 9, 1, "A" if letters[p + 9] != "A" else "C"))
    scorer = Scorer(profiler, genome, output="counts", scores=["difference", "gain_loss"], profile="reads")
    ScoreJob([*variants, "chr1:5000:A>C"], genome, scorer).to(tmp_path / "s.h5")
    with h5py.File(tmp_path / "s.h5") as file:
        assert file["table/status"].asstr()[:].tolist() == ["ok", "ok", "out_of_bounds"]
        reference, alternate = file["profiles/reads/reference"][:], file["profiles/reads/alternate"][:]
        position = file["profiles/reads/position"][:]
        difference = file["table/counts"][:]
        gain = file["table/reads.gain"][:]
        assert file.attrs["model"] == "p"
    assert reference.shape == alternate.shape == (3, 80)
    assert (position[0], position[-1]) == (-40, 39)
    assert np.isnan(reference[2]).all()
    np.testing.assert_allclose(gain[:2], np.nanmax(alternate[:2] - reference[:2], 1).clip(0), atol=1e-6)
    assert np.isnan(difference[2])
    codes = window(letters, p - 60, 120)
    with torch.no_grad():
        expected = profiler.predict({"codes": torch.from_numpy(codes)})["reads"][0, 0].numpy()
    np.testing.assert_allclose(reference[0], expected, atol=1e-5)


class Spaced(Encoder):
    """1 for GATTACA with TTGACC exactly 15 bp behind it, on the strand that is read."""

    pools, out_channels, receptive_field = True, 1, None

    def __init__(self):
        super().__init__()
        self.filters = torch.nn.ParameterList(
            torch.nn.functional.one_hot(torch.from_numpy(encode(m)).long(), 4).T[None].float()
            for m in ("GATTACA", "TTGACC")
        )

    def grid(self, length: int) -> Grid:
        return Grid(0, length, 1)

    def forward(self, inputs):
        first, second = (torch.relu(torch.conv1d(inputs["one_hot"], w) - w.shape[2] + 1) for w in self.filters)
        apart = second[:, :, 15:]
        both = first[:, :, : apart.shape[2]] * apart[:, :, : first.shape[2]]
        return both.sum(2, keepdim=True)


class Alone(Head):
    field = Field("C", channels=("y",))

    def forward(self, embedding, inputs):
        return embedding.squeeze(2)


@pytest.fixture(scope="module")
def spaced(tmp_path_factory):
    """The two motifs 19 bp apart, 4 too many."""
    codes = np.random.default_rng(8).integers(0, 4, 400).astype(np.uint8)
    codes[190:197], codes[209:215] = encode("GATTACA"), encode("TTGACC")
    path = tmp_path_factory.mktemp("spaced") / "g.fa"
    path.write_text(f">chr1\n{decode(codes)}\n")
    model = Model(ModelSpec("spaced", {"name": "s"}, {"y": {"name": "s"}}, 120), Spaced(), {"y": Alone()}).eval()
    return model, Genome(path), decode(codes)


def test_a_deletion_that_moves_two_motifs_to_their_spacing_is_a_gain(spaced):
    model, genome, letters = spaced
    right, wrong = (199, 5, letters[199]), (199, 4, letters[199])
    found = scores(model, genome, typed(letters, right, wrong)).values[:, 0]
    assert found[0] == pytest.approx(1, abs=1e-5)
    assert found[1] == pytest.approx(0, abs=1e-5)


def test_a_motif_that_is_no_palindrome_counts_on_its_own_strand(spaced):
    model, genome, letters = spaced
    found = scores(model, genome, typed(letters, (199, 5, letters[199])), strands="both").values[0]
    assert found == pytest.approx([1, 0], abs=1e-5)
