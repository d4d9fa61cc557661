"""Saturation mutagenesis finds what was planted, and says what it cannot do."""

import numpy as np
import pytest
import torch

import zoo
from zoo.data.codes import decode, encode
from zoo.data.genome import Genome
from zoo.data.motifs import get_motif
from zoo.effects.saturation_mutagenesis import landscape, mutate
from zoo.errors import ConfigError, DataError, GenomeMismatch, ZooError
from zoo.fields import Field
from zoo.interpreters.ism import ISM
from zoo.model import build
from zoo.outputs import Output
from zoo.prediction.predict import predict
from zoo.spec import ModelSpec

MOTIF = get_motif("MA0139.1").consensus
SITE = slice(420, 420 + len(MOTIF))


def tiny(tasks=("CTCF",), **changes):
    torch.manual_seed(0)
    given = {
        "name": "tiny",
        "encoder": {"name": "motif_cnn", "filters": 8, "width": 7, "hidden": 4},
        "heads": {"binding": {"name": "scalar", "in_channels": 4, "tasks": list(tasks)}},
        "input_length": 40,
        "activation": {"binding": "sigmoid"},
    }
    return build(ModelSpec(**{**given, **changes})).eval()


@pytest.fixture
def model():
    return tiny()


@pytest.fixture(scope="module")
def ctcf():
    return zoo.load("ctcf-motif-cnn")


@pytest.fixture
def letters():
    """1,000 bp with a CTCF site at SITE and 100 N after 700."""
    drawn = np.random.default_rng(1).integers(0, 4, 1000).astype(np.uint8)
    drawn[SITE] = encode(MOTIF)
    drawn[700:800] = 4
    return decode(drawn)


@pytest.fixture
def genome(tmp_path, letters):
    path = tmp_path / "genome.fa"
    path.write_text(f">20\n{letters}\n>MT\n{letters[:50]}\n")
    return Genome(path)


def test_the_largest_losses_lie_within_a_planted_site(ctcf, genome):
    found = landscape(ctcf, "20:331-530", fasta=genome, output="CTCF:raw")
    loss = -found.mean()
    strongest = np.argsort(-loss)[:8] + found.start
    assert ((strongest >= SITE.start) & (strongest < SITE.stop)).all()
    inside = np.zeros(len(loss), bool)
    inside[SITE.start - found.start : SITE.stop - found.start] = True
    assert loss[inside].mean() > 10 * np.abs(loss[~inside]).mean()


def test_the_effects_are_those_of_full_inference_on_every_mutant(model, genome, letters):
    found = landscape(model, "20:201-240", fasta=genome)
    codes = torch.from_numpy(encode(letters[200:240]))[None]
    expected = ISM().attribute(model, {"codes": codes}, Output.parse(None, model.spec)).values["one_hot"][0]
    np.testing.assert_allclose(found.effects, expected.numpy(), atol=1e-6)
    assert np.abs(found.effects).max() > 1e-4
    assert found.effects.dtype == np.float32
    assert found.reference == pytest.approx(predict(model, sequences=[letters[200:240]])["CTCF"][0], abs=1e-6)


def test_the_effect_of_the_reference_base_is_0(model, letters):
    effects = mutate(model, letters[200:240])
    codes = torch.from_numpy(encode(letters[200:240])).long()
    assert (effects[codes, torch.arange(40)] == 0).all()
    assert (effects != 0).sum() > 60


def test_a_part_of_a_window_has_the_effects_of_the_whole(model, genome, letters):
    whole = landscape(model, "20:201-240", fasta=genome)
    part = landscape(model, "20:211-230", fasta=genome)
    np.testing.assert_allclose(part.effects, whole.effects[:, 10:30], atol=1e-6)
    np.testing.assert_array_equal(part.codes, whole.codes[10:30])
    assert (part.chrom, part.start, part.contig_length) == ("20", 210, 1000)
    columns = mutate(model, letters[200:240], start=10, end=30)
    np.testing.assert_allclose(columns, part.effects, atol=1e-6)


def test_a_short_region_lies_in_the_middle_of_the_window(model, genome, letters):
    found = landscape(model, "20:301", fasta=genome)
    assert found.effects.shape == (4, 1)
    assert found.comments["window"] == "20:281-320"
    assert found.comments["region"] == "20:301"
    np.testing.assert_allclose(found.effects, mutate(model, letters[280:320])[:, 20:21], atol=1e-6)


def test_the_ways_to_name_a_region_are_equal(model, genome):
    typed = mutate(model, "chr20:201-240", fasta=genome.files[0])
    for region in ("20:201-240", ("20", 200, 240), ("chr20", np.int64(200), 240)):
        assert torch.equal(mutate(model, region, fasta=genome), typed)


def test_an_alias_is_said_and_the_genomes_own_name_is_used(model, genome):
    found = landscape(model, "chr20:201-240", fasta=genome)
    assert found.chrom == "20"
    assert found.comments["aliases"] == "chr20 is 20"
    assert landscape(model, "20:201-240", fasta=genome).comments["aliases"] == "none"


def test_the_comments_say_where_the_numbers_come_from(ctcf, genome):
    comments = landscape(ctcf, "20:401-500", fasta=genome, output="CTCF").comments
    assert comments["model"] == "ctcf-motif-cnn"
    assert comments["revision"] == ctcf.revision
    assert comments["outputs"] == "CTCF"
    assert comments["genome"] == "genome"
    assert comments["window"] == "20:351-550"


def test_a_window_over_the_rim_reads_n_and_says_so(model, genome, letters):
    found = landscape(model, "20:1-20", fasta=genome)
    assert found.comments["rim"] == "10 bp of the model's 40 lie beyond the contig and read as N"
    assert found.comments["window"] == "20:1-30"
    np.testing.assert_allclose(found.effects, mutate(model, "N" * 10 + letters[:30])[:, 10:30], atol=1e-6)


def test_all_letters_are_substitutions_of_an_n(model, letters):
    found = landscape(model, "N" * 10 + letters[:30])
    assert len(found) == 4 * 10 + 3 * 30
    assert found.chrom is None
    assert found.comments["region"] == "sequence:1-40"


def test_expressions_of_outputs_are_mutated_too(genome):
    model = tiny(("liver", "brain"))
    liver, brain, both = (
        mutate(model, "20:201-240", fasta=genome, output=o) for o in ("liver:raw", "brain:raw", "liver:raw - brain:raw")
    )
    torch.testing.assert_close(both, liver - brain, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("region", "error", "said"),
    [
        ("20:201-241", ConfigError, "20:201-241 is 41 bp but the model reads 40: split it"),
        ("20:981-1,001", GenomeMismatch, "leaves contig '20' of genome 'genome', which ends at 1,000"),
        ("chr7:1-10", GenomeMismatch, "no contig 'chr7'"),
        ("20:731-770", DataError, "100% of the window 20:731-770 is N"),
        ("20", ConfigError, "does not read chrom:first-last"),
        ("20:240-201", ConfigError, "swap them"),
        (("20", 5, 5), ConfigError, "use 0 <= start < end"),
        (("20", -5, 5), ConfigError, "use 0 <= start < end"),
        (("20", "a", 5), ConfigError, "0-based half-open"),
        (("20", 5), ConfigError, "0-based half-open"),
    ],
)
def test_a_region_that_cannot_be_mutated_is_an_error(model, genome, region, error, said):
    with pytest.raises(error, match=said):
        mutate(model, region, fasta=genome)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"sequence": "ACGT" * 9}, DataError, "36 bp but the model reads 40"),
        ({"sequence": "ACGT" * 9 + "AC!T"}, DataError, "letter '!' at position 39"),
        ({"sequence": "N" * 21 + "A" * 19}, DataError, "52% of the window"),
        ({"start": 10, "end": 10}, ConfigError, r"columns 10\.\.10"),
        ({"start": -1}, ConfigError, r"use 0\.\.40"),
        ({"end": 41}, ConfigError, r"use 0\.\.40"),
        ({"sequence": "20:1-40"}, ConfigError, "needs a genome: give its FASTA file"),
        ({"sequence": ("20", 0, 40)}, ConfigError, "needs a genome"),
        ({"output": "liver"}, ConfigError, "no output 'liver'"),
    ],
)
def test_a_sequence_that_cannot_be_mutated_is_an_error(model, change, error, said):
    with pytest.raises(error, match=said):
        mutate(model, **{"sequence": "ACGT" * 10, **change})


def test_columns_of_a_region_are_an_error(model, genome):
    with pytest.raises(ConfigError, match="name the region itself"):
        mutate(model, "20:201-240", fasta=genome, start=5)


def test_one_output_is_needed_and_the_choices_are_named():
    with pytest.raises(ConfigError, match=r"one output is needed, not 2 \(liver, brain\)"):
        mutate(tiny(("liver", "brain")), "ACGT" * 10)


def test_a_model_that_reads_more_than_a_sequence_is_refused(model):
    model.spec = model.spec.replace(inputs={**model.spec.inputs, "signal": Field("CT", channels=("reads",))})
    with pytest.raises(ConfigError, match="'tiny' reads signal beside the sequence: give --signal reads=FILE"):
        mutate(model, "ACGT" * 10)


def test_an_unknown_model_is_named():
    with pytest.raises(ZooError, match=r"ctcf-motf-cnn.*did you mean 'ctcf-motif-cnn'"):
        mutate("ctcf-motf-cnn", "ACGT" * 50)


def test_the_model_keeps_its_mode(model):
    model.train()
    mutate(model, "ACGT" * 10)
    assert model.training


def test_the_package_offers_it():
    assert zoo.mutate is mutate
