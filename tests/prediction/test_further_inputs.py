"""Models that read tracks and a context beside the sequence are given those of the window, by every command."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

import zoo
from zoo.data.codes import encode
from zoo.data.edits import Edits
from zoo.data.genome import Genome
from zoo.data.signals import SignalStore, Track
from zoo.effects.engine.incremental import incremental
from zoo.effects.saturation_mutagenesis import landscape
from zoo.errors import ConfigError, ContractError, DataError, GenomeMismatch
from zoo.interpreters.ism import ISM
from zoo.outputs import Output
from zoo.prediction.further_inputs import FurtherInputs

spec = importlib.util.spec_from_file_location("two_towers", Path(__file__).with_name("two_towers.py"))
assert spec is not None
assert spec.loader is not None
towers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(towers)
two_towers, LENGTH, BIN = towers.two_towers, towers.LENGTH, towers.BIN


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("towers")
    towers.write_genome(folder)
    return folder


@pytest.fixture(scope="module")
def genome(folder):
    return Genome(folder / "genome.fa")


@pytest.fixture(scope="module")
def tracks(folder):
    return towers.write_tracks(folder)


@pytest.fixture(scope="module")
def model():
    return two_towers()


@pytest.fixture(scope="module")
def store(genome, tracks):
    """The tracks as the model reads them, from the store alone."""
    return SignalStore.open([Track(n, tracks[n]) for n in ("atac", "dnase")], genome, BIN, "log1p")


def output_of(model, codes, signal=None, context=None, output="a"):
    """What the model itself gives for codes (N, L)."""
    batch = {"codes": torch.from_numpy(np.ascontiguousarray(codes))}
    if signal is not None:
        batch["signal"] = torch.from_numpy(signal)
    if context is not None:
        batch["context"] = torch.full((len(codes),), context)
    with torch.no_grad():
        return Output.parse(output, model.spec).of(model, batch)[:, 0].numpy()


@pytest.mark.parametrize("fuse", ["cat", "gate", "attention"])
@pytest.mark.parametrize("keys", [("signal", "context"), ("signal",), ("context", "present/context"), ()])
def test_incremental_inference_is_full_inference_beside_a_track(fuse, keys):
    model = two_towers(3, fuse=fuse)
    random = torch.Generator().manual_seed(5)
    inputs = {
        "signal": torch.rand(3, 2, LENGTH // BIN, generator=random),
        "context": torch.tensor([0, 1, 1]),
        "present/context": torch.tensor([1.0, 0.0, 1.0]),
    }
    inputs = {key: inputs[key] for key in keys}
    codes = torch.randint(4, (3, LENGTH), generator=random).to(torch.uint8).numpy()
    shapes = {key: tuple(x.shape[1:]) for key, x in inputs.items()}
    engine = incremental(model, Output.every(model.spec), dtype=torch.float64, optional=shapes)
    rim = LENGTH - 1
    sets = [[(0, 1, "A"), (rim, 1, "C")], [(60, 3, "")], [(40, 1, "GTTA")], [(20, 2, "GT"), (90, 1, "T")]]
    for edits in (Edits.substitutions(codes, 30, 70), Edits.sets(sets, rows=[0, 1, 2, 1])):
        row = torch.from_numpy(edits.row)
        mutated = edits.apply(codes, LENGTH)
        with torch.no_grad():
            model.double()
            double = {k: x.double() if x.is_floating_point() else x for k, x in inputs.items()}
            of = Output.every(model.spec).of
            new = of(model, {"codes": torch.from_numpy(mutated), **{k: x[row] for k, x in double.items()}})
            old = of(model, {"codes": torch.from_numpy(codes), **double})[row]
            model.float()
        effects = incremental(model, Output.every(model.spec), dtype=torch.float64, optional=shapes).effects(
            codes, edits, inputs=inputs
        )
        assert effects.abs().max() > 1e-3
        torch.testing.assert_close(effects, new - old, atol=1e-9, rtol=0)
    if fuse != "attention":
        assert engine.plan.first_full is None


def test_an_engine_refuses_inputs_that_it_was_not_made_for(model):
    codes = np.zeros((1, LENGTH), np.uint8)
    edits, signal = Edits.substitutions(codes, 3, 4), {"signal": torch.zeros(1, 2, LENGTH // BIN)}
    with pytest.raises(ContractError, match="reads nothing beside the sequence and is given signal"):
        incremental(model).effects(codes, edits, inputs=signal)
    with pytest.raises(ContractError, match="reads signal beside the sequence and is given nothing"):
        incremental(model, optional={"signal": (2, LENGTH // BIN)}).effects(codes, edits)
    with pytest.raises(ContractError, match="reads signal beside the sequence and is given nothing"):
        incremental(model, optional={"signal": (2, LENGTH // BIN)}, carry=False).effects(codes, edits)


def test_ism_holds_the_track_and_goes_through_incremental_inference(model, monkeypatch):
    monkeypatch.setattr("zoo.interpreters.ism._in_full", None)
    random = torch.Generator().manual_seed(1)
    codes = torch.randint(4, (2, LENGTH), generator=random).to(torch.uint8)
    signal = torch.rand(2, 2, LENGTH // BIN, generator=random)
    batch = {"codes": codes, "signal": signal, "context": torch.tensor([1, 0])}
    seen = ISM(start=50, end=60).attribute(model, batch, Output.parse("a", model.spec)).values["one_hot"]
    mutated = codes.clone()
    mutated[1, 55] = (int(codes[1, 55]) + 1) % 4
    change = [output_of(model, c[1:].numpy(), signal.numpy()[1:], 0)[0] for c in (mutated, codes)]
    assert float(seen[1, int(mutated[1, 55]), 55]) == pytest.approx(change[0] - change[1], abs=1e-5)


def write_bed(path, rows):
    path.write_text("".join(f"{c}\t{a}\t{b}\n" for c, a, b in rows))
    return path


def test_predictions_are_of_the_tracks_in_the_same_window(tmp_path, model, genome, tracks, store):
    rows = [("chr1", 500, 700), ("chr9", 1, 2), ("chr2", 400, 421), ("chr1", 0, 10)]
    bed = write_bed(tmp_path / "x.bed", rows)
    frame = zoo.predict(model, bed, fasta=genome, signals=tracks, context="heart")
    assert frame["status"].tolist() == ["ok", "contig_unknown", "ok", "out_of_bounds"]
    for i, (chrom, start) in {0: ("chr1", 600 - 64), 2: ("chr2", 410 - 64)}.items():
        codes = genome.fetch(chrom, start, start + LENGTH)[None]
        true = output_of(model, codes, store.windows([chrom], [start], LENGTH), 1)
        assert frame["a"][i] == pytest.approx(true[0], rel=1e-5)
    assert frame.attrs["context"] == "heart"
    assert "atac.bedGraph (bedgraph, blake2b " in frame.attrs["signal.atac"]
    assert frame.attrs["signal.dnase"].endswith("log1p, bins of 16 bp")


def test_what_a_model_can_do_without_is_missing_where_it_is_not_given(tmp_path, model, genome, tracks):
    bed = write_bed(tmp_path / "x.bed", [("chr1", 500, 700)])
    codes = genome.fetch("chr1", 536, 536 + LENGTH)[None]
    bare = zoo.predict(model, bed, fasta=genome)
    assert bare["a"][0] == pytest.approx(output_of(model, codes)[0], rel=1e-5)
    assert bare.attrs["signal"] == bare.attrs["context"] == "missing: not given"
    assert abs(bare["a"][0] - zoo.predict(model, bed, fasta=genome, signals=tracks)["a"][0]) > 1e-3
    letters = "".join("ACGT"[c] for c in codes[0])
    alone = zoo.predict(model, sequences=[letters], context="liver")
    assert alone["a"][0] == pytest.approx(output_of(model, codes, context=0)[0], rel=1e-5)


VARIANTS = ["chr1:1000:{}>{}", "chr1:1400:{}>{}", "chr2:400:{}>{}", "chr1:1777:{}>{}", "chr1:2050:{}>{}"]


def typed(genome):
    """A substitution, an insertion, a deletion, a longer deletion, a replacement of two bases: (variant, edit)."""
    made = []
    for text, (old, new) in zip(VARIANTS, [(1, 1), (1, 4), (4, 1), (23, 1), (2, 2)], strict=True):
        chrom, position = text.split(":")[:2]
        letters = "".join("ACGT"[c] for c in genome.fetch(chrom, int(position) - 1, int(position) - 1 + old))
        other = "".join("TGCA"["ACGT".index(x)] for x in letters)
        alternate = {1: other, 4: letters + "GAT", 2: other}[new] if old <= new else letters[0]
        made.append((text.format(letters, alternate), chrom, int(position) - 1, letters, alternate))
    return made


@pytest.mark.parametrize("strands", ["forward", "average"])
def test_scores_are_of_two_sequences_beside_the_track_of_the_reference_window(genome, tracks, store, strands):
    """Also for insertions and deletions, which move bases and leave the track where it was measured."""
    model = two_towers(7)
    variants = typed(genome)
    frame = zoo.score_variants(
        model, [v[0] for v in variants], fasta=genome, output="a", signals=tracks, context="liver", strands=strands
    )
    assert frame["status"].tolist() == ["ok"] * 5
    for i in range(5):
        row = frame.iloc[i]
        chrom, position, reference, alternate = row["chrom"], int(row["norm_pos"]) - 1, row["norm_ref"], row["norm_alt"]
        start = position - LENGTH // 2
        codes = genome.fetch(chrom, start, start + LENGTH)[None]
        signal = store.windows([chrom], [start], LENGTH)
        new, old = encode(alternate), len(reference)
        before = genome.fetch(chrom, start - 50, position)
        behind = genome.fetch(chrom, position + old, position + old + LENGTH)
        left = np.concatenate([before[50:], new, behind])[None, :LENGTH]
        right = np.concatenate([before, new, behind[: LENGTH - LENGTH // 2 - old]])[None, -LENGTH:]

        def value(c, beside=signal):
            if strands == "forward":
                return output_of(model, c, beside, 0)[0]
            turned = np.where(c[:, ::-1] < 4, 3 - c[:, ::-1], 4).astype(np.uint8)
            both = output_of(model, c, beside, 0)[0], output_of(model, turned, beside[..., ::-1].copy(), 0)[0]
            return sum(both) / 2

        true = (value(left) + value(right)) / 2 - value(codes)
        assert abs(true) > 1e-4
        assert row["a"] == pytest.approx(true, abs=2e-5)


def test_many_variants_go_through_incremental_inference_with_their_own_track(genome, tracks, store):
    from zoo.effects.variants.scorer import Scorer
    from zoo.variants.files import read_variants

    model = two_towers(7, required=True)
    places = range(300, 2600, 31)
    texts = []
    for position in places:
        base = "ACGT"[genome.fetch("chr1", position, position + 1)[0]]
        texts.append(f"chr1:{position + 1}:{base}>{'TGCA'['ACGT'.index(base)]}")
    scorer = Scorer(model, genome, output="a", signals=tracks, context="heart", shifts=(0, 5))
    chunk = next(iter(read_variants(texts, genome)))
    scored = scorer(chunk)
    assert scorer.engine.counts.incremental == len(texts)
    for i, position in enumerate(places):
        change = 0.0
        for shift in (0, 5):
            start = position - LENGTH // 2 + shift
            codes = np.repeat(genome.fetch("chr1", start, start + LENGTH)[None], 2, 0)
            codes[1, position - start] = 3 - codes[0, position - start]
            signal = store.windows(["chr1"], [start], LENGTH).repeat(2, 0)
            change += np.subtract(*output_of(model, codes, signal, 1)[::-1]) / 2
        assert scored.values[i, 0] == pytest.approx(change, abs=2e-5)


def test_a_landscape_holds_the_tracks_of_its_window(model, genome, tracks, store):
    seen = landscape(model, "chr2:301-340", fasta=genome, output="a", signals=tracks, context="liver")
    start = 320 - LENGTH // 2
    codes = np.repeat(genome.fetch("chr2", start, start + LENGTH)[None], 2, 0)
    codes[1, 310 - start] = (codes[0, 310 - start] + 2) % 4
    signal = store.windows(["chr2"], [start], LENGTH).repeat(2, 0)
    old, new = output_of(model, codes, signal, 0)
    assert seen.effects[codes[1, 310 - start], 10] == pytest.approx(new - old, abs=1e-5)
    assert seen.reference == pytest.approx(old, rel=1e-5)
    assert "incremental" in seen.comments["inference"]
    full = landscape(model, "chr2:301-340", fasta=genome, output="a", signals=tracks, context="liver", full=True)
    np.testing.assert_allclose(full.effects, seen.effects, atol=1e-5)


@pytest.mark.parametrize("interpreter", ["ism", "saliency", "deeplift_shap", "integrated_gradients"])
def test_bases_are_explained_beside_the_tracks_of_their_window(model, genome, tracks, store, interpreter):
    output = Output.parse("a", model.spec)
    if interpreter == "deeplift_shap":
        interpreter = {"name": "deeplift_shap", "n_references": 3}
    how = {"fasta": genome, "output": output, "interpreter": interpreter}
    with_tracks = zoo.attribute(model, "chr1:900-940", signals=tracks, context="heart", **how)
    bare = zoo.attribute(model, "chr1:900-940", **how)
    start = int(with_tracks.start[0])
    codes = genome.fetch("chr1", start, start + LENGTH)[None]
    true = output_of(model, codes, store.windows(["chr1"], [start], LENGTH), 1)
    assert with_tracks.predictions[0] == pytest.approx(true[0], rel=1e-5)
    assert with_tracks.comments["context"] == "heart"
    assert np.abs(with_tracks.values - bare.values).max() > 1e-3
    if with_tracks.delta is not None:
        assert np.abs(with_tracks.delta).max() < 0.02 * np.abs(with_tracks.values).sum()


@pytest.mark.parametrize(
    ("arguments", "given", "words"),
    [
        ({"required": True}, {}, "reads signal, context beside the sequence: give --signal atac=FILE --signal "
         "dnase=FILE, and give --context, one of liver, heart"),
        ({}, {"signals": ["atac"]}, "--signal 'atac' is no NAME=FILE"),
        ({}, {"signals": ["atac=x", "atac=y"]}, "--signal atac is given twice"),
        ({}, {"signals": ["atca=x"]}, "reads no track 'atca': did you mean 'atac'"),
        ({}, {"signals": ["atac=x"]}, "reads the tracks atac, dnase together: give --signal dnase=FILE too, or none"),
        ({}, {"context": "lung"}, "was never trained in context 'lung': choose from liver, heart"),
    ],
)  # fmt: skip
def test_what_cannot_be_given_is_one_sentence(genome, arguments, given, words):
    with pytest.raises(ConfigError) as raised:
        FurtherInputs.open(two_towers(**arguments), genome, **given)
    assert words in str(raised.value)


def test_bad_tracks_are_one_sentence(tmp_path, model, genome, tracks):
    with pytest.raises(DataError, match=r"nowhere.bw does not exist"):
        FurtherInputs.open(model, genome, {**tracks, "atac": tmp_path / "nowhere.bw"})
    other = tmp_path / "other.bdg"
    other.write_text("chr1\t2990\t3100\t1\n")
    with pytest.raises(GenomeMismatch, match="end 3,100 is past the end of chr1"):
        FurtherInputs.open(model, genome, {**tracks, "atac": other})
    with pytest.raises(ConfigError, match="sequences have no place on a track"):
        zoo.predict(model, sequences=["A" * LENGTH], signals=tracks)


def test_a_model_of_sequence_alone_takes_no_track(genome, tracks):
    ctcf = zoo.load("ctcf-motif-cnn")
    with pytest.raises(ConfigError, match="reads no signal beside the sequence: leave out --signal atac"):
        FurtherInputs.open(ctcf, genome, tracks)
    with pytest.raises(ConfigError, match="reads no context: leave out --context K562"):
        FurtherInputs.open(ctcf, genome, context="K562")


def test_commands_take_tracks_and_a_context(tmp_path, monkeypatch, capsys, folder, genome, tracks, model):
    from zoo.cli.main import main

    monkeypatch.setattr("zoo.hub.loader.load", lambda name, device="cpu": model)
    given = ["--fasta", str(folder / "genome.fa")]
    for name, path in tracks.items():
        given += ["--signal", f"{name}={path}"]
    bed = write_bed(tmp_path / "x.bed", [("chr1", 500, 700)])
    variant = typed(genome)[0][0]
    commands = {
        "predict": ["predict", "towers", "--bed", str(bed)],
        "mutate": ["mutate", "chr2:301-310", "--model", "towers", "--output", "a"],
        "score": ["score", variant, "--model", "towers", "--output", "a"],
        "attribute": ["attribute", "chr2:301-310", "--model", "towers", "--output", "a"],
    }
    for name, words in commands.items():
        out = tmp_path / f"{name}.tsv"
        assert main([*words, *given, "--context", "heart", "-o", str(out)]) == 0
        assert "##context=heart" in out.read_text()
        assert "##signal.atac=atac.bedGraph (bedgraph, blake2b" in out.read_text()
        capsys.readouterr()
        assert main([*words, *given, "--context", "lung", "-o", str(out)]) == 1
        assert "was never trained in context 'lung': choose from liver, heart" in capsys.readouterr().err
    frame = zoo.predict(model, bed, fasta=genome, signals=tracks, context="heart")
    last = (tmp_path / "predict.tsv").read_text().splitlines()[-1].split("\t")
    assert float(last[4]) == pytest.approx(frame["a"][0], rel=1e-5)


def test_a_run_of_scores_is_not_gone_on_with_beside_another_track(tmp_path, genome, tracks, model):
    from zoo.effects.variants.job import ScoreJob
    from zoo.effects.variants.run_identity import difference, identify
    from zoo.effects.variants.scorer import Scorer

    own = {name: tmp_path / Path(path).name for name, path in tracks.items()}
    for name, path in own.items():
        path.write_bytes(Path(tracks[name]).read_bytes())

    def identity(context="liver"):
        scorer = Scorer(model, genome, output="a", signals=own, context=context)
        return identify(ScoreJob([typed(genome)[0][0]], genome, scorer))

    before = identity()
    assert difference(before, identity()) is None
    assert difference(before, identity("heart")) == 'context was "liver" and is now "heart"'
    own["atac"].write_text(own["atac"].read_text() + "chr2\t899\t900\t1\n")
    assert difference(before, identity()) == "the content of atac.bedGraph (signal atac) has changed"


def test_of_several_models_each_gets_what_it_reads(tmp_path, genome, tracks):
    from zoo.prediction.further_inputs import share_out

    models = [two_towers(), zoo.load("ctcf-motif-cnn")]
    assert [sorted(share["signals"]) for share in share_out(models, tracks, "liver")] == [["atac", "dnase"], []]
    assert [share["context"] for share in share_out(models, tracks, "liver")] == ["liver", None]
    with pytest.raises(ConfigError, match="none of the models reads a track 'h3k27ac'"):
        share_out(models, {"h3k27ac": "x.bw"}, None)
    with pytest.raises(ConfigError, match="none of the models reads a context: leave out --context liver"):
        share_out(models[1:] * 2, {}, "liver")


def test_a_report_explains_windows_of_a_file_beside_their_tracks(tmp_path, folder, genome, tracks, model, store):
    from zoo.report.section import Subject
    from zoo.report.sequences import of_intervals

    bed = write_bed(tmp_path / "x.bed", [("chr1", 500, 700), ("chr2", 300, 302), ("chr1", 1000, 1001)])
    further = FurtherInputs.open(model, genome, tracks, "liver")
    chosen = of_intervals(str(bed), genome, LENGTH, 2, 0, further)
    assert chosen.inputs["context"].tolist() == [0, 0]
    for i, (chrom, start) in enumerate(chosen.places):
        np.testing.assert_array_equal(chosen.inputs["signal"][i], store.windows([chrom], [start], LENGTH)[0])
    needing = two_towers(required=True)
    output = Output.parse("a", needing.spec)
    assert Subject("x", needing, output, chosen.codes, "", inputs=chosen.inputs).other_inputs == []
    assert Subject("x", needing, output, chosen.codes, "").other_inputs == ["signal", "context"]
