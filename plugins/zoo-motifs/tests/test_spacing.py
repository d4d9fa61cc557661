"""A planted grammar is found where it was planted, and a model without one shows none."""

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from torch import Tensor

from zoo.cli.main import main
from zoo.data.codes import decode, encode, reverse_complement
from zoo.data.planted_motifs import background
from zoo.errors import ConfigError, DataError
from zoo.fields import Field, Grid
from zoo.files.tables import read_table
from zoo.interfaces import Encoder, Head
from zoo.model import Model
from zoo.spec import ModelSpec
from zoo_motifs.spacing.experiment import motif_spacing, parse_motif
from zoo_motifs.spacing.files import write_spacing
from zoo_motifs.spacing.result import ARRANGEMENTS, COLUMNS

LENGTH = 60
FIRST, SECOND = "ACCGTTTGCA", "GGATACCA"


class Grammar(Encoder):
    """Counts sites: 1 for each first, 2 for each second on either strand, 5 more for a pair of one arrangement."""

    pools, out_channels, receptive_field = True, 1, None

    def __init__(self, *, gaps=(4, 5), orientation="opposite", downstream=True):
        super().__init__()
        self.gaps, self.orientation, self.downstream = gaps, orientation, downstream
        self.scale = torch.nn.Parameter(torch.ones(1))

    def grid(self, length: int) -> Grid:
        return Grid(0, length, 1)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        x = inputs["one_hot"]
        first, second = (self.sites(x, text) for text in (FIRST, SECOND))
        value = sum(s.sum(1) for s in first) + 2 * sum(s.sum(1) for s in second)
        for strand in (0, 1):
            partner = second[strand if self.orientation == "same" else 1 - strand]
            for gap in self.gaps:
                # from the start of the left site to the start of the right one
                first_is_left = self.downstream == (strand == 0)
                left, right = (first[strand], partner) if first_is_left else (partner, first[strand])
                step = (len(FIRST) if first_is_left else len(SECOND)) + gap
                shared = min(left.shape[1], right.shape[1] - step)
                value = value + 5 * (left[:, :shared] * right[:, step : step + shared]).sum(1)
        return (value * self.scale).view(-1, 1, 1)

    def sites(self, x: Tensor, text: str) -> list[Tensor]:
        """Where the letters stand, on + and on -: (N, L - W + 1) of 0 and 1 each."""
        found = []
        for codes in (encode(text), reverse_complement(encode(text))):
            weight = torch.eye(4, dtype=x.dtype)[codes.astype(int)].T[None]
            found.append((torch.conv1d(x, weight)[:, 0] > len(codes) - 0.5).to(x.dtype))
        return found


class Alone(Head):
    field = Field("C", channels=("y",))

    def forward(self, embedding: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        return embedding.squeeze(2)


def model_of(encoder, length=LENGTH):
    return Model(ModelSpec("planted", {"name": "p"}, {"y": {"name": "p"}}, length), encoder, {"y": Alone()}).eval()


@pytest.mark.parametrize("orientation", ["same", "opposite"])
@pytest.mark.parametrize("downstream", [True, False])
def test_the_synergy_is_where_it_was_planted_and_nowhere_else(orientation, downstream):
    model = model_of(Grammar(orientation=orientation, downstream=downstream))
    found = motif_spacing(model, FIRST, SECOND, gaps=range(12), backgrounds=4, seed=1)
    side = "downstream" if downstream else "upstream"
    synergy = found.synergy()
    assert synergy.shape == (8, 12, 4)
    for i, arrangement in enumerate(ARRANGEMENTS):
        for j, gap in enumerate(found.gaps):
            active = arrangement.name == f"{side}, {orientation}" and gap in (4, 5)
            assert synergy[i, j] == pytest.approx(5.0 if active else 0.0, abs=1e-4), (arrangement, gap)
    assert found.singles[0] == pytest.approx(1, abs=1e-4)
    assert found.singles[1] == pytest.approx(2, abs=1e-4)
    assert found.peak()[0].name == f"{side}, {orientation}"
    assert f"GGATACCA 4 bp {side} of ACCGTTTGCA on the {orientation} strand" in found.sentence()


def test_every_number_is_that_of_sequences_written_by_hand():
    """The table of the module's docstring, letter by letter, through the model in full."""
    from zoo.outputs import Output
    from zoo.prediction.predict import predict_codes

    model = model_of(Grammar())
    bare = background(3, LENGTH, gc=0.5, rng=np.random.default_rng(3))
    found = motif_spacing(model, FIRST, SECOND, gaps=[3, 4], backgrounds=bare)
    output = Output.parse(None, model.spec)
    turned = {s: [FIRST, SECOND] if s == "+" else [_turn(FIRST), _turn(SECOND)] for s in "+-"}
    written = {
        ("downstream, same", "first-second", "++"), ("downstream, same", "second-first", "--"),
        ("downstream, opposite", "first-second", "+-"), ("downstream, opposite", "second-first", "-+"),
        ("upstream, same", "second-first", "++"), ("upstream, same", "first-second", "--"),
        ("upstream, opposite", "second-first", "+-"), ("upstream, opposite", "first-second", "-+"),
    }  # fmt: skip
    assert {(a.name, a.order, a.orientation) for a in ARRANGEMENTS} == written
    for i, a in enumerate(ARRANGEMENTS):
        for j, gap in enumerate((3, 4)):
            one, two = turned[a.orientation[0]][0], turned[a.orientation[1]][1]
            left, right = (one, two) if a.order == "first-second" else (two, one)
            at = (LENGTH - len(FIRST) - len(SECOND) - gap) // 2
            places = {left: at, right: at + len(left) + gap}
            effects = []
            for put in ((one, two), (one,), (two,)):
                texts = []
                for row in bare:
                    text = decode(row)
                    for site in put:
                        text = text[: places[site]] + site + text[places[site] + len(site) :]
                    texts.append(encode(text))
                effects.append(
                    (predict_codes(model, np.stack(texts), output) - predict_codes(model, bare, output))[:, 0]
                )
            assert found.pair[i, j] == pytest.approx(effects[0], abs=1e-4)
            assert found.singles[:, i, j] == pytest.approx(np.stack(effects[1:]), abs=1e-4)


def test_an_additive_model_has_no_synergy_and_the_interval_is_student_s():
    """Each base adds its own weight, so that all but rounding cancels; noise is put in to test the interval."""
    from scipy.stats import ttest_1samp

    model = model_of(Grammar(gaps=()))
    found = motif_spacing(model, FIRST, SECOND, gaps=range(0, 30, 7), backgrounds=6)
    assert np.abs(found.synergy()).max() < 1e-4
    found.pair[:] += np.random.default_rng(0).normal(size=found.pair.shape)
    mean, low, high = found.intervals()
    expected = ttest_1samp(found.synergy(), 0, axis=2).confidence_interval(0.95)
    assert low == pytest.approx(expected.low)
    assert high == pytest.approx(expected.high)
    assert mean == pytest.approx((low + high) / 2)


def test_the_two_ways_of_writing_an_arrangement_are_reverse_complements():
    """A model that reads both strands alike gives one of them in a background what the other gets in its complement."""
    bare = background(4, 200, gc=0.5, rng=np.random.default_rng(6))
    asked = {"output": "CTCF:raw", "gaps": [1, 7]}  # with 35 bp of motifs, pairs that stand exactly in the middle
    found = motif_spacing("ctcf-dilated-cnn", "CTCF", "SPI1", backgrounds=bare, **asked)
    turned = motif_spacing("ctcf-dilated-cnn", "CTCF", "SPI1", backgrounds=reverse_complement(bare), **asked)
    assert np.abs(found.pair).min() > 0.01
    for i, a in enumerate(ARRANGEMENTS):
        (mirror,) = [j for j, b in enumerate(ARRANGEMENTS) if b.name == a.name and b != a]
        assert ARRANGEMENTS[mirror].first != a.first
        assert found.pair[i] == pytest.approx(turned.pair[mirror], abs=1e-4)
        assert found.singles[:, i] == pytest.approx(turned.singles[:, mirror], abs=1e-4)


def test_the_same_seed_gives_the_same_numbers():
    one, two = (motif_spacing(model_of(Grammar()), FIRST, SECOND, gaps=[4], backgrounds=3, seed=2) for _ in range(2))
    assert (one.pair == two.pair).all()
    assert (one.singles == two.singles).all()


def test_drawn_sites_differ_between_backgrounds_and_are_the_same_alone_and_together():
    """A model of two columns: with drawn sites the singles vary by letter, and still nothing but noise is left over."""
    from zoo.data.motifs import Motif

    loose = Motif("loose", "loose", np.ones((4, 9)))

    class Bases(Grammar):
        def forward(self, inputs):
            weight = torch.tensor([1.0, 10.0, 100.0, 1000.0])[None, :, None]
            return ((inputs["one_hot"] * weight).sum((1, 2)) * self.scale).view(-1, 1, 1)

    found = motif_spacing(model_of(Bases()), loose, loose, gaps=[2], backgrounds=6, sites="sampled")
    assert len(np.unique(found.singles[0, 0, 0].round())) > 3
    assert np.abs(found.synergy()).max() < 0.01
    still = motif_spacing(model_of(Bases()), loose, loose, gaps=[2], backgrounds=6)
    assert "consensus" in still.comments["sites"]


def test_motifs_are_names_identifiers_or_letters():
    assert parse_motif("ctcf").id == "MA0139.2"
    assert parse_motif("MA0139.1").consensus == "TGGCCACCAGGGGGCGCTA"
    assert parse_motif("gattaca").consensus == "GATTACA"
    assert parse_motif(parse_motif("GATTACA")).name == "GATTACA"
    with pytest.raises(DataError, match="no motif 'CTCFF'"):
        parse_motif("CTCFF")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"gaps": range(51)}, ConfigError, "10 and 8 bp with 50 bp between .* model's 60 bp: gaps up to 42 bp fit"),
        ({"gaps": [-1]}, ConfigError, "0 bp or more"),
        ({"gaps": []}, ConfigError, "at least one"),
        ({"gaps": [1.5]}, ConfigError, "whole numbers"),
        ({"backgrounds": 0}, ConfigError, "at least 1"),
        ({"backgrounds": np.zeros((2, 50), np.uint8)}, DataError, r"must be \(B, 60\)"),
        ({"sites": "best"}, ConfigError, "consensus, sampled"),
        ({"output": "z"}, ConfigError, "'z'"),
    ],
)
def test_what_cannot_be_asked_says_why(arguments, error, message):
    with pytest.raises(error, match=message):
        motif_spacing(model_of(Grammar()), FIRST, SECOND, **{"gaps": [1], "backgrounds": 2, **arguments})


def test_one_background_has_no_interval(tmp_path):
    found = motif_spacing(model_of(Grammar()), FIRST, SECOND, gaps=[4], backgrounds=1)
    write_spacing(found, tmp_path / "s.tsv")
    assert {row["low"] for row in read_table(tmp_path / "s.tsv")[1]} == {"NA"}
    assert "95 %" not in found.sentence()
    write_spacing(found, tmp_path / "s.png")


def test_the_command_writes_tables_and_pictures(tmp_path, capsys):
    files = [tmp_path / name for name in ("s.tsv", "s.tsv.gz", "s.png", "s.svg", "s.pdf")]
    outs = [x for file in files for x in ("-o", str(file))]
    asked = ["motif-spacing", "CTCF", "GGATACCA", "--model", "ctcf-motif-cnn", "--output", "CTCF:raw"]
    assert main([*asked, "--gaps", "0..20..5", "--backgrounds", "6", *outs]) == 0
    said = capsys.readouterr().err
    assert "largest synergy" in said
    comments, rows = read_table(tmp_path / "s.tsv")
    assert read_table(tmp_path / "s.tsv.gz")[1] == rows
    assert len(rows) == 8 * 5
    assert tuple(rows[0]) == COLUMNS
    assert comments["motif_1"] == "CTCF MA0139.2 GCCACCAGGGGGCGC"
    assert comments["backgrounds"] == "6 random sequences, GC 41%, seed 0"
    assert "revision" in comments
    for row in rows:
        total = float(row["effect_pair"]) - float(row["effect_first"]) - float(row["effect_second"])
        assert float(row["synergy"]) == pytest.approx(total, abs=1e-5)
        assert float(row["low"]) <= float(row["synergy"]) <= float(row["high"])
        assert row["n"] == "6"
    assert (tmp_path / "s.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (tmp_path / "s.svg").read_bytes()
    assert (tmp_path / "s.pdf").read_bytes().startswith(b"%PDF")


def test_the_command_takes_backgrounds_from_a_file_and_shuffles_them(tmp_path):
    bare = background(5, 200, gc=0.6, rng=np.random.default_rng(4))
    (tmp_path / "b.fa").write_text("".join(f">{i}\n{decode(row)}\n" for i, row in enumerate(bare)))
    asked = ["motif-spacing", "CTCF", "SPI1", "--model", "ctcf-motif-cnn", "--output", "CTCF:raw", "--gaps", "3,9"]
    given = [*asked, "--sequences", str(tmp_path / "b.fa")]
    assert main([*given, "-o", str(tmp_path / "given.tsv")]) == 0
    assert main([*given, "--shuffle", "-o", str(tmp_path / "shuffled.tsv")]) == 0
    tables = [read_table(tmp_path / name) for name in ("given.tsv", "shuffled.tsv")]
    assert tables[0][0]["backgrounds"].endswith("b.fa")
    assert tables[1][0]["backgrounds"].endswith("b.fa, shuffled with seed 0")
    assert tables[0][1][0]["n"] == tables[1][1][0]["n"] == "5"
    assert tables[0][1] != tables[1][1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--gaps", "20..0"], "first..last"),
        (["--gaps", "a"], "first..last"),
        (["--gaps", "0..20..0"], "first..last"),
        (["-o", "x.doc"], "end it in .tsv"),
        (["--shuffle"], "--sequences"),
    ],
)
def test_the_command_answers_a_mistake_in_one_line(arguments, message, capsys):
    assert main(["motif-spacing", "CTCF", "SPI1", "--model", "ctcf-motif-cnn", *arguments]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.xdist_group("grammar")
def test_a_trained_network_shows_the_grammar_that_it_was_trained_on(tmp_path):
    """SPI1 8 to 12 bp downstream of CTCF on the opposite strand adds 3; all other arrangements add nothing."""
    import zoo
    from zoo.config import compose
    from zoo.training.run import train

    config = compose(
        [
            "experiment=simulated_grammar",
            f"output_dir={tmp_path / 'run'}",
            "trainer.max_epochs=8",
            "evaluation.bootstrap=20",
            "trainer.logger=none",
            "trainer.bar=false",
        ]
    )
    result = train(config)
    r2 = next(m["value"] for m in result.metrics if m["metric"] == "r2" and m["predictor"] == "simulated-grammar")
    assert r2 > 0.85
    model = zoo.load(str(result.model_folder))
    # It was trained on sites drawn from the counts; the consensus is stronger than nearly all of them and asks more.
    for sites, least in (("sampled", 8), ("consensus", 3)):
        found = motif_spacing(model, "CTCF", "SPI1", gaps=range(51), backgrounds=100, sites=sites)
        mean, low, _ = found.intervals()
        right = np.array([a.name == "downstream, opposite" for a in ARRANGEMENTS])
        gaps = found.gaps
        planted = right[:, None] & (gaps >= 8) & (gaps <= 12)
        elsewhere = ~(right[:, None] & (gaps >= 5) & (gaps <= 15))
        inside, outside = mean[planted], np.abs(mean[elsewhere])
        assert inside.mean() == pytest.approx(3.0, abs=0.6)
        assert inside.min() > 2
        assert (low[planted] > 0).all()
        assert inside.mean() > least * outside.max()
        assert inside.mean() > 15 * np.median(outside)
        beside = right[:, None] & np.isin(gaps, (5, 6, 7, 13, 14, 15))
        assert np.abs(mean[beside]).max() < 0.35 * inside.mean()
        arrangement, gap = found.peak()
        assert arrangement.name == "downstream, opposite"
        assert 8 <= gap <= 12


def _turn(text):
    return decode(reverse_complement(encode(text)))
