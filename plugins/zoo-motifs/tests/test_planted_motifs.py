"""What was planted, and what is known of CTCF, comes back from filters that began at random."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

import zoo
from zoo.attribution.sequences import attribute_codes
from zoo.config import compose
from zoo.data.motifs import get_motif
from zoo.registry import registry
from zoo.report.sequences import of_intervals
from zoo_motifs.databases import family, jaspar
from zoo_motifs.filters import filter_motifs
from zoo_motifs.letter_similarity import AGREES
from zoo_motifs.tomtom import match


def matches_of(model, codes):
    heard = [f.motif(trim=0.25) for f in filter_motifs(model, codes) if not f.silent]
    return match(heard, jaspar())


def mass_ratios(model, source, n=40):
    """{(interpreter, task): mean attribution of a base inside the task's planted sites over that outside}."""
    examples, truth = source.examples("test"), source.truth("test")
    known = registry().names("interpreter")
    found = {}
    for index, task in enumerate(source.targets["binding"].channels):
        rows = np.unique(truth["row"][truth["index"] == index])[:n]
        codes = examples.batch(rows)["codes"]
        inside = np.zeros(codes.shape, bool)
        for i, row in enumerate(rows):
            for site in np.flatnonzero((truth["row"] == row) & (truth["index"] == index)):
                inside[i, truth["start"][site] : truth["end"][site]] = True
        for name in {"ism", "deeplift_shap", "integrated_gradients"} & set(known):
            mass = np.abs(attribute_codes(model, codes, interpreter=name, output=f"{task}:raw").per_base())
            found[name, task] = float(mass[inside].mean() / mass[~inside].mean())
    return found


@pytest.mark.slow
def test_planted_motifs_of_all_lengths_are_recovered_from_random_filters(tmp_path):
    """A filter whose best match is the planted motif or of its family, letters agreeing; scores lie on the sites."""
    from zoo.training.plan import TrainingPlan
    from zoo.training.run import train

    config = compose(["experiment=planted_motifs", f"output_dir={tmp_path / 'run'}", "evaluation.bootstrap=10"])
    config["trainer"] |= {"bar": False, "logger": "none"}
    assert config["encoder"]["motifs"] == [], "nothing but chance to start from"
    result = train(config)
    model = zoo.load(str(result.model_folder))
    examples = TrainingPlan.of(config).source.examples("test")
    found = matches_of(model, examples.batch(np.arange(len(examples)))["codes"])
    recovered = set()
    for name in config["data"]["motifs"]:
        planted = get_motif(name)
        for query in range(len(found.queries)):
            (best,) = found.best(query)
            known = found.targets[best].id
            same = known.partition(".")[0] == planted.id.partition(".")[0]
            if found.q[query, best] < 0.01 and found.agreement[query, best] >= AGREES:
                if same or family(known).shares(family(planted.id)):
                    recovered.add(name)
    assert len(recovered) >= 4, f"only {sorted(recovered)}"
    ratios = mass_ratios(model, TrainingPlan.of(config).source)
    assert min(ratios.values()) >= 5, ratios


@pytest.mark.slow
def test_untrained_filters_match_nothing_once_letters_must_agree():
    model = zoo.load("ctcf-motif-cnn")
    torch.manual_seed(0)
    for module in model.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    codes = np.random.default_rng(0).integers(0, 4, (2_000, 200)).astype(np.uint8)
    found = matches_of(model, codes)
    n = len(found.queries)
    assert n > 50
    by_q_alone = sum(bool(found.best(i, max_q=0.01)) for i in range(n))
    assert by_q_alone > n / 2, "this is why a small q alone is not called a match"
    assert sum(bool(found.best(i, max_q=0.01, agree=AGREES)) for i in range(n)) == 0


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("name", ["ctcf-motif-cnn", "ctcf-dilated-cnn"])
def test_a_filter_of_the_shipped_models_reads_ctcf(name):
    """Both began at random: their specs name no motif."""
    folder = Path(os.environ.get("ZOO_DATA", ""))
    if not os.environ.get("ZOO_DATA") or not (folder / "ctcf").is_dir():
        pytest.skip("ZOO_DATA names no folder with ctcf")
    fasta = [str(folder / "hg19" / file) for file in ("chr20.fa.gz", "chrX_first70Mb.fa.gz")]
    model = zoo.load(name)
    assert not model.spec.encoder.get("motifs")
    bed = folder / "ctcf" / "GM12878_CTCF_chr20_chrX.broadPeak.gz"
    codes = of_intervals(str(bed), fasta, 200, 2_000, 0).codes
    found = matches_of(model, codes)
    ctcf = next(i for i, t in enumerate(found.targets) if t.id == "MA0139.2")
    agreeing = found.agreement[:, ctcf] >= AGREES
    assert found.q[agreeing, ctcf].min() < 1e-3
