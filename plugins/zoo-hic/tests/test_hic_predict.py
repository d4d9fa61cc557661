"""Maps of regions, from a network whose answer is known and from a real one through the command."""

import math

import numpy as np
import pytest
import torch

from zoo.cli.main import main
from zoo.data.codes import decode
from zoo.data.genome import Genome
from zoo.errors import ConfigError, GenomeMismatch
from zoo.files.tables import read_table
from zoo.hub.model_folder import save_bundle
from zoo.model import build
from zoo.spec import ModelSpec
from zoo_hic.maps import ContactMap
from zoo_hic.observed_map import correlate_maps, expected_by_distance, observed_square
from zoo_hic.predictor import Predictor
from zoo_hic.preprocess import Preprocess
from zoo_hic.region_prediction import parse_locus, predict_region
from zoo_hic.simulation.contact_maps import simulate_contig
from zoo_hic.simulation.sequence import find_sites
from zoo_hic.simulation.settings import MapSettings
from zoo_hic.simulation.structure import build_structure
from zoo_hic.writers import write_cool

BINS, RESOLUTION = 64, 256
SETTINGS = MapSettings(resolution=RESOLUTION, spacing=12, gap=4, strengths=(1.0,), shares=(1.0,), decoys=0.5)
SIMULATED = simulate_contig(np.random.default_rng(3), 160, SETTINGS)
SHORT = SIMULATED.codes[: 20 * RESOLUTION + 100]


def write_fasta(path, sequences):
    path.write_text("".join(f">{name}\n{decode(codes)}\n" for name, codes in sequences.items()))
    return path


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    path = tmp_path_factory.mktemp("genome") / "toy.fa"
    gap = SIMULATED.codes.copy()
    gap[30 * RESOLUTION : 33 * RESOLUTION] = 4
    return Genome(write_fasta(path, {"chr1": SIMULATED.codes, "chr2": SHORT, "chr3": gap}))


def truth(first, last):
    """What the known network says of sequence [first, last) in bins alone."""
    codes = SIMULATED.codes[first * RESOLUTION : last * RESOLUTION]
    return build_structure(find_sites(codes, SETTINGS), last - first, SETTINGS)


def test_a_region_of_a_windows_length_is_that_window(genome, ground_truth):
    found = predict_region(
        Predictor.of(ground_truth(BINS, SETTINGS)), genome, "chr1", 40 * RESOLUTION, 104 * RESOLUTION
    )
    np.testing.assert_array_equal(found.squares["log_oe"], truth(40, 104))
    assert (found.first, found.bins, found.region) == (40, BINS, "chr1:10,241-26,624")
    assert found.notes == ()


def test_a_short_region_is_the_middle_of_a_window_and_an_alias_is_understood(genome, ground_truth):
    found = predict_region(
        Predictor.of(ground_truth(BINS, SETTINGS)), genome, "1", 60 * RESOLUTION + 5, 70 * RESOLUTION - 5
    )
    assert found.contig == "chr1"
    np.testing.assert_array_equal(found.squares["log_oe"], truth(33, 97)[27:37, 27:37])


def test_at_the_contigs_end_the_window_moves_inwards_and_says_so(genome, ground_truth):
    found = predict_region(
        Predictor.of(ground_truth(BINS, SETTINGS)), genome, "chr1", 150 * RESOLUTION, 160 * RESOLUTION
    )
    np.testing.assert_array_equal(found.squares["log_oe"], truth(96, 160)[54:, 54:])
    assert "moved inwards, to chr1:24,577-40,960" in found.notes[0]


def test_a_contig_shorter_than_a_window_reads_n_beyond_its_end(genome, ground_truth):
    found = predict_region(Predictor.of(ground_truth(BINS, SETTINGS)), genome, "chr2", 0, len(SHORT))
    assert found.bins == 21
    assert found.end == len(SHORT)
    assert f"{BINS * RESOLUTION - len(SHORT):,} bp beyond its end read as N" in found.notes[0]
    square = found.squares["log_oe"]
    assert np.isfinite(square[:20, :20]).all()
    assert np.isnan(square[20]).all(), "156 of the last bin's 256 bp are not there"


def test_overlapping_windows_agree_with_the_whole_and_far_pairs_are_unknown(genome, ground_truth):
    found = predict_region(Predictor.of(ground_truth(BINS, SETTINGS)), genome, "chr1", 0, 160 * RESOLUTION)
    whole = truth(0, 160)
    apart = np.abs(np.subtract.outer(np.arange(160), np.arange(160)))
    square = found.squares["log_oe"]
    np.testing.assert_array_equal(np.isfinite(square), apart <= 48)
    np.testing.assert_array_equal(square, square.T)
    # A loop's rim may reach into a window that has only one anchor; elsewhere a window's structure is the contig's.
    assert np.abs(np.where(apart <= 48, square - whole, 0)).max() < 0.05
    assert "pairs more than 12,288 bp apart are unknown" in found.notes[-1]


def test_bins_that_are_mostly_n_are_unknown(genome, ground_truth):
    found = predict_region(Predictor.of(ground_truth(BINS, SETTINGS)), genome, "chr3", 20 * RESOLUTION, 50 * RESOLUTION)
    gone = np.isnan(found.squares["log_oe"]).all(1)
    assert np.flatnonzero(gone).tolist() == [10, 11, 12]
    assert "3 of 30 bins are more than half N" in found.notes[0]


def test_both_strands_are_averaged_so_that_the_answer_does_not_depend_on_the_strand(ground_truth):
    codes = SIMULATED.codes[None, : BINS * RESOLUTION]
    other = (3 - codes)[:, ::-1]

    class Skewed(ground_truth):
        """Wrong in a way that only the other strand puts right."""

        def predict(self, batch):
            ramp = torch.linspace(0, 1, self.bins)
            return {"contacts": super().predict(batch)["contacts"] + (ramp[:, None] + ramp[None, :])}

    skewed = Skewed(BINS, SETTINGS)
    both, one = Predictor.of(skewed), Predictor.of(skewed, strands=False)
    np.testing.assert_allclose(both.maps(codes)[0], both.maps(other)[0, :, ::-1, ::-1], atol=1e-6)
    assert np.abs(one.maps(codes)[0] - one.maps(other)[0, :, ::-1, ::-1]).max() > 0.5
    np.testing.assert_allclose(
        both.maps(codes), Predictor.of(ground_truth(BINS, SETTINGS)).maps(codes) + 1.0, atol=1e-6
    )


def test_pairs_that_were_not_in_training_are_unknown_and_logarithms_become_natural(ground_truth):
    steps = {"first_diagonal": 3, "log": "2", "order": ["1. as describe() has it"]}
    data = {"name": "contact_maps", "preprocessing": steps, "pairs": {"nearest_bins": 5, "furthest_bins": 20}}
    predictor = Predictor.of(ground_truth(BINS, SETTINGS, data))
    assert (predictor.near, predictor.far) == (5, 20)
    assert predictor.preprocess == Preprocess(first_diagonal=3, log="2")
    codes = SIMULATED.codes[None, : BINS * RESOLUTION]
    found = predictor.maps(codes)[0, 0]
    apart = np.abs(np.subtract.outer(np.arange(BINS), np.arange(BINS)))
    known = (apart >= 5) & (apart <= 20)
    np.testing.assert_array_equal(np.isfinite(found), known)
    np.testing.assert_allclose(found[known], truth(0, BINS)[known] * math.log(2), rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "place"),
    [("chr1:1,001-2,000", ("chr1", 1000, 2000)), ("1", ("chr1", 0, 160 * RESOLUTION))],
)
def test_places_are_read_as_people_type_them(genome, text, place):
    assert parse_locus(text, genome) == place


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("chr9", GenomeMismatch, "no contig 'chr9'"),
        ("chr1:1-99,999,999", GenomeMismatch, "ends at 40,960"),
        ("chr1:0-5", ConfigError, "count from 1"),
    ],
)
def test_places_off_the_genome_are_refused(genome, text, error, message):
    with pytest.raises(error, match=message):
        parse_locus(text, genome)


def test_observed_log_oe_is_that_of_the_preprocessing_without_a_dense_contig(genome, ground_truth):
    counts = SIMULATED.observed.astype(float)
    weights = np.full(160, 0.5)
    weights[[7, 44]] = np.nan
    sizes = {"chr1": 160 * RESOLUTION}
    contacts = ContactMap.from_dense({"chr1": counts}, RESOLUTION, sizes, {"chr1": weights})
    for steps in (Preprocess(), Preprocess(fill=2, smooth=1.0, expected_pairs=60), Preprocess(balance="none")):
        balanced = steps.balance != "none"
        squares = {"chr1": contacts.square("chr1", balanced=balanced)}
        expected = steps.expect(squares)["chr1"]
        np.testing.assert_allclose(expected_by_distance(contacts, "chr1", steps), expected, rtol=1e-5)
        whole = steps.apply(squares["chr1"], expected)
        found = predict_region(
            Predictor.of(ground_truth(BINS, SETTINGS)), genome, "chr1", 40 * RESOLUTION, 90 * RESOLUTION
        )
        part = observed_square(contacts, found, steps)
        inner = slice(45, 85), slice(45, 85)  # filling and smoothing see the contig's end in neither
        np.testing.assert_allclose(part[5:45, 5:45], whole[inner], atol=2e-3)
    score = correlate_maps(found.squares["log_oe"], observed_square(contacts, found, Preprocess()))
    assert score.pearson > 0.3
    assert math.isnan(correlate_maps(np.zeros((9, 9)), np.eye(9)).pearson), "what distance alone predicts"


def test_a_model_without_contact_maps_is_refused(ground_truth):
    known = ground_truth(BINS, SETTINGS)
    known.spec = known.spec.replace(outputs={})
    with pytest.raises(ConfigError, match="no contact map"):
        Predictor.of(known)
    with pytest.raises(ConfigError, match="reads no cell type"):
        Predictor.of(ground_truth(BINS, SETTINGS), context="K562")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """toy.fa, run/model: a real network of 16 bins of 256 bp with fresh weights, and observed.cool."""
    path = tmp_path_factory.mktemp("command")
    write_fasta(path / "toy.fa", {"chr1": SIMULATED.codes})
    encoder = {"name": "contact_cnn", "pools": [16, 16], "channels": 8, "first_channels": 8, "layers": 2}
    head = {"name": "contacts", "in_channels": 8, "bin_size": 256, "resolution": 256, "pair_channels": 4, "layers": 1}
    model = build(ModelSpec("tiny", encoder, {"contacts": head}, 16 * RESOLUTION))
    (path / "run").mkdir()
    save_bundle(model, path / "run" / "model", {"codes": np.zeros((2, 16 * RESOLUTION), np.uint8)})
    sizes = {"chr1": 160 * RESOLUTION}
    write_cool(path / "observed.cool", ContactMap.from_dense({"chr1": SIMULATED.observed}, RESOLUTION, sizes))
    return path


def zoo(capsys, *args):
    capsys.readouterr()
    code = main([str(a) for a in args])
    out, err = capsys.readouterr()
    return code, out, err


def arguments(folder, *more):
    return (
        "predict-contacts",
        *more,
        "--model",
        folder / "run" / "model",
        "--fasta",
        folder / "toy.fa",
        "--device",
        "cpu",
    )


def test_the_command_writes_maps_tables_and_pictures(folder, tmp_path, capsys):
    cool, tsv, png, page = (tmp_path / f"map.{end}" for end in ("cool", "tsv", "png", "html"))
    outs = [x for path in (cool, tsv, png, page) for x in ("-o", path)]
    region = "chr1:5,121-9,216"
    code, out, err = zoo(capsys, *arguments(folder, region), "--observed", folder / "observed.cool", *outs)
    assert code == 0, err
    figures = dict(line.split("\t") for line in out.splitlines())
    assert figures["region"] == region
    assert -1 <= float(figures["pearson of log(O/E)"]) <= 1
    assert figures["pearson of distance alone"].startswith("0 ")
    assert "defaults of zoo-hic" in err

    network = Predictor.of(build_again(folder))
    found = predict_region(network, Genome(folder / "toy.fa"), "chr1", 5120, 9216).squares["log_oe"]
    square = read_back(cool)
    np.testing.assert_allclose(square[20:36, 20:36], found, atol=1e-6)
    assert np.isnan(square[:20]).all()
    assert np.isnan(square[36:]).all()
    comments, rows = read_table(tsv)
    assert comments["model"] == "tiny"
    assert len(rows) == 16 * 17 // 2
    last = rows[-1]
    assert (last["start1"], last["end2"]) == ("8960", "9216")
    assert float(last["log_oe:log_oe"]) == pytest.approx(float(found[-1, -1]), abs=1e-6)
    assert png.read_bytes().startswith(b"\x89PNG")
    assert "data:image/png;base64," in page.read_text()


def read_back(path):
    """(T, T) of chr1 as cooler reads it with its weights; NaN where there is no pixel."""
    import cooler

    opened = cooler.Cooler(str(path))
    pixels = opened.matrix(balance=True, as_pixels=True, join=False).fetch("chr1")
    square = np.full((160, 160), np.nan)
    square[pixels["bin1_id"], pixels["bin2_id"]] = square[pixels["bin2_id"], pixels["bin1_id"]] = pixels["balanced"]
    assert opened.info["metadata"]["zoo"]["model"] == "tiny"
    return square


def build_again(folder):
    from zoo.hub.loader import load

    return load(folder / "run" / "model")


def test_the_command_scores_edits_against_random_places(folder, tmp_path, capsys):
    cool, svg, tsv = tmp_path / "edit.cool", tmp_path / "edit.svg", tmp_path / "edit.tsv"
    edits = ("--delete", "chr1:6,401-6,656", "--mutate", "chr1:7,001-7,004=ACGT", "--null", "6")
    outs = ("-o", cool, "-o", svg, "-o", tsv)
    code, out, err = zoo(capsys, *arguments(folder, "chr1:5,121-9,216"), *edits, *outs)
    assert code == 0, err
    figures = dict(line.split("\t") for line in out.splitlines())
    assert float(figures["rms difference"]) > 0
    assert 0 < float(figures["p"]) <= 1
    assert figures["null places"] == "6"
    square = read_back(cool)
    assert np.isnan(square[25]).all(), "the deleted bin"
    assert np.isfinite(square[24, 26])
    assert b"<svg" in svg.read_bytes()
    rows = read_table(tsv)[1]
    assert {"reference", "edited", "difference"} <= set(rows[0])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["chr1:1-4,000", "-o", "map.doc"], "end it in .cool"),
        ([], "no region is given"),
        (["chr1:1-4,000", "--null", "5"], "are of edits"),
        (["chr1:1-4,000", "--delete", "chr1:5,000-5,100"], "outside the region"),
        (["chr1:1-9,000", "--delete", "chr1:5,000-5,100"], "at most that"),
        (["chr1:1-4,000", "--mutate", "chr1:10-12"], "too few to shuffle"),
        (["chr1:1-4,000", "--channel", "K562"], "no map 'K562'"),
        (["chr1:1-4,000", "--variants", "a.vcf"], "takes -o scores.tsv"),
    ],
)
def test_what_cannot_be_done_is_refused(folder, capsys, given, message):
    code, _, err = zoo(capsys, *arguments(folder, *given))
    assert code == 1
    assert message in err
    assert "Traceback" not in err


def test_help_has_an_example(capsys):
    code, out, _ = zoo(capsys, "predict-contacts", "--help")
    assert code == 0
    assert "Examples: zoo predict-contacts chr4" in " ".join(out.split())
