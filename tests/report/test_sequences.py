"""Which sequences stand for a model's data, and what is said of where they are from."""

import numpy as np
import pytest

from zoo.errors import DataError, ZooError
from zoo.outputs import Output
from zoo.report.sequences import of_fasta, of_intervals, of_split, random_sequences
from zoo.report.subject import open_subject


@pytest.fixture
def genome(tmp_path):
    """A contig of 1,000 bp whose second half is N, as letters and as a file."""
    letters = "".join(np.random.default_rng(0).choice(list("ACGT"), 500)) + "N" * 500
    (tmp_path / "genome.fa").write_text(f">chr1\n{letters}\n")
    return letters, str(tmp_path / "genome.fa")


def decoded(codes):
    return "".join("ACGTN"[c] for c in codes)


def test_windows_of_intervals_are_the_genomes_own_and_named_by_their_place(tmp_path, genome):
    letters, fasta = genome
    bed = tmp_path / "peaks.bed"
    bed.write_text("chr1\t190\t210\nchr1\t0\t10\nchr1\t800\t810\nchr2\t200\t300\nchr1\t299\t301\n")
    found = of_intervals(str(bed), [fasta], 100, 10, 0)
    assert [decoded(c) for c in found.codes] == [letters[150:250], letters[250:350]]
    assert found.places == [("chr1", 150), ("chr1", 250)]
    assert found.names == ["chr1:151-250", "chr1:251-350"]
    assert found.origin == "2 sequences, drawn at random from the 5 rows of peaks.bed"


def test_intervals_without_any_window_are_an_error(tmp_path, genome):
    bed = tmp_path / "peaks.bed"
    bed.write_text("chr7\t190\t210\n")
    with pytest.raises(DataError, match="check the assembly"):
        of_intervals(str(bed), [genome[1]], 100, 10, 0)
    bed.write_text("chr1\t800\t810\n")
    with pytest.raises(DataError, match="is N"):
        of_intervals(str(bed), [genome[1]], 100, 10, 0)


def test_records_of_a_fasta_file_must_be_of_the_models_length(tmp_path):
    path = tmp_path / "x.fa"
    path.write_text(">a\nACGT\n>b\nACG\n>c <i>\nTTTT\n")
    found = of_fasta(str(path), 4, 10, 0)
    assert [decoded(c) for c in found.codes] == ["ACGT", "TTTT"]
    assert found.names == ["a", "c <i>"]
    with pytest.raises(DataError, match="no sequence of 5 bp"):
        of_fasta(str(path), 5, 10, 0)


def test_a_sample_of_the_test_split_keeps_its_labels_and_is_the_same_for_a_seed(opened):
    source = opened.opened.source
    output = Output.parse("CTCF:raw", opened.model.spec)
    first, again, other = (of_split(opened.opened, output, 30, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.codes, again.codes)
    assert (first.codes != other.codes).any()
    whole = source.examples("test").batch(np.arange(120))
    label = {codes.tobytes(): y for codes, y in zip(whole["codes"], whole["target/binding"][:, 0], strict=True)}
    assert [label[codes.tobytes()] for codes in first.codes] == first.labels.tolist()
    assert first.origin == "30 sequences, drawn at random from the 120 of the test split of the model's data"


@pytest.mark.parametrize("strand", ["+", "-"])
def test_coordinates_of_a_split_are_taken_only_where_the_genome_has_these_letters(genome, strand, opened):
    """A FASTA record of the other strand names the same place, but its letters run the other way."""
    from types import SimpleNamespace

    from zoo.data.codes import COMPLEMENT
    from zoo.data.genome import Genome

    letters, fasta = genome
    codes = np.array(["ACGT".index(x) for x in letters[:400]], np.uint8).reshape(2, 200)
    codes = codes if strand == "+" else COMPLEMENT[codes][:, ::-1]
    identity = {"chrom": np.array(["chr1"] * 2), "start": np.array([0, 200]), "end": np.array([200, 400])}
    examples = SimpleNamespace(
        lengths=np.array([200, 200]), batch=lambda rows: {"codes": codes[rows]}, identity=lambda rows: identity
    )
    source = SimpleNamespace(genome=Genome([fasta]), targets={}, examples=lambda split: examples)
    data = SimpleNamespace(source=source, model=opened.model)
    found = of_split(data, opened.output, 2, 0)
    assert found.names == ["chr1:1-200", "chr1:201-400"]
    assert found.places == ([("chr1", 0), ("chr1", 200)] if strand == "+" else [])


def test_an_expression_of_several_tasks_has_no_labels(opened):
    output = Output.parse("2*CTCF - CTCF", opened.model.spec)
    assert of_split(opened.opened, output, 5, 0).labels is None


def test_random_sequences_say_that_they_are(plain):
    found = random_sequences(200, 500, 0)
    assert found.random
    assert abs(np.isin(found.codes, (1, 2)).mean() - 0.41) < 0.01


def test_a_published_model_without_data_is_shown_random_sequences_and_says_why(bundle):
    subject = open_subject(str(bundle()), interpreter="ism", n=5)
    assert subject.random
    assert subject.opened is None
    assert "are not at hand" in subject.notes[0]
    assert len(subject.names) == len(subject.codes) == 5


def test_a_published_model_makes_its_own_simulated_data_but_reads_no_file_and_not_without_bound(bundle, tmp_path):
    small = {"name": "simulated", "n_train": 50, "n_validation": 10, "n_test": 20}
    subject = open_subject(str(bundle("small", data={"config": small})), interpreter="ism")
    assert len(subject.opened.source.examples("test")) == 20
    assert set(subject.labels) == {0.0, 1.0}
    for name, config in [
        ("huge", {**small, "n_train": 10**12}),
        ("long", {**small, "length": 10**9}),
        ("text", {**small, "n_train": "10"}),
        ("file", {"name": "table", "table": "/etc/passwd"}),
    ]:
        assert open_subject(str(bundle(name, data={"config": config})), interpreter="ism", n=2).opened is None


def test_the_first_output_is_explained_before_its_activation_and_others_are_named(bundle):
    subject = open_subject(str(bundle()), n=2)
    assert subject.output_text == "CTCF:raw"
    assert subject.output.raw


def test_an_interpreter_that_does_not_run_on_the_model_is_replaced_and_the_report_says_why(bundle, monkeypatch):
    from zoo.registry import registry

    class Stubborn:
        def attribute(self, model, batch, output):
            raise RuntimeError("no rule for this layer")

    known = registry()
    monkeypatch.setattr(known, "components", dict(known.components))
    known.components.pop(("interpreter", "deeplift_shap"), None)
    known.add("interpreter", "deeplift_shap", "nowhere:Stubborn")
    get = type(known).get
    monkeypatch.setattr(
        type(known), "get", lambda self, kind, name: Stubborn if name == "deeplift_shap" else get(self, kind, name)
    )
    subject = open_subject(str(bundle()), n=2)
    assert subject.interpreter == {"name": "ism"}
    assert "deeplift_shap, which does not run on this model: no rule for this layer." in subject.notes[-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bed": "x.bed"}, "give --fasta"),
        ({"bed": "x.bed", "fasta": ["a"], "sequences": "x.fa"}, "leave out one"),
        ({"n": 0}, "1 or more"),
        ({"data": ["name=table", "table=/nowhere"]}, "/nowhere"),
        ({"output": "SPI1"}, "no output"),
        ({"interpreter": "tea_leaves"}, "no interpreter"),
        ({"interpreter": {"name": "ism", "leaves": 3}}, "has no 'leaves'"),
    ],
)
def test_what_was_asked_for_and_cannot_be_is_an_error(bundle, arguments, message):
    with pytest.raises(ZooError, match=message):
        open_subject(str(bundle()), **arguments)


def test_a_run_whose_data_are_gone_is_still_reported_on(run):
    (run / "config.json").write_text('{"data": {"name": "table", "table": "/gone.tsv"}}')
    subject = open_subject(str(run), interpreter="ism", n=3)
    assert subject.random
    assert "could not be read here" in subject.notes[0]
    assert subject.run is not None
