"""Windows of genes hold the letters and the sites that a person reads off the genome."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.data.codes import decode, encode, reverse_complement
from zoo.errors import ConfigError, GenomeMismatch
from zoo.registry import registry
from zoo.testing import check_component, failures
from zoo_splice.gene_table import Genes
from zoo_splice.loci import Blocks, place_loci
from zoo_splice.simulated_genes import SimulatedGenome, SimulatedSpliceSites
from zoo_splice.splice_examples import SpliceExamples


@st.composite
def gene(draw):
    """(strand, exons) with 0-based half-open exons."""
    steps = draw(st.lists(st.integers(1, 25), min_size=2, max_size=8).filter(lambda x: len(x) % 2 == 0))
    return draw(st.sampled_from([1, -1])), (np.cumsum(steps).reshape(-1, 2) + draw(st.integers(0, 40))).tolist()


@settings(max_examples=40)
@given(st.lists(gene(), min_size=1, max_size=5), st.integers(1, 60), st.sampled_from([0, 2, 10]), st.integers(0, 99))
def test_each_base_of_a_strand_is_in_one_block_with_its_letter_and_its_sites(genes, block, context, seed):
    codes = np.random.default_rng(seed).integers(0, 4, 400).astype(np.uint8)
    rows = [(f"g{i}", "c", strand, parts[0][0], parts[-1][1]) for i, (strand, parts) in enumerate(genes)]
    left, right = ([s for s, _ in p[1:]] for _, p in genes), ([e - 1 for _, e in p[:-1]] for _, p in genes)
    loci = place_loci(Genes.of(rows, list(left), list(right)), np.zeros(len(rows), np.int64))
    examples = SpliceExamples(
        Blocks.of(loci, np.arange(len(loci.name)), block), SimulatedGenome([codes]), ["c"], context
    )
    batch, identity = (f(np.arange(len(examples))) for f in (examples.batch, examples.identity))
    seen = []
    for i in range(len(examples)):
        strand = 1 if identity["strand"][i] == "+" else -1
        places = np.arange(identity["start"][i] - context // 2, identity["end"][i] + context // 2)[::strand]
        letters = [4 if not 0 <= p < 400 else codes[p] if strand > 0 else 3 - codes[p] for p in places]
        assert batch["codes"][i].tolist() == letters
        for t in np.flatnonzero(batch["weight/splice"][i, 0]):
            seen.append((strand, int(places[t]), *batch["target/splice"][i, :, t].tolist()))
    expected = {}
    for strand, parts in genes:
        for p in range(parts[0][0], parts[-1][1]):
            expected.setdefault((strand, p), [0.0, 0.0])
        for side, ends in enumerate(([s for s, _ in parts[1:]], [e - 1 for _, e in parts[:-1]])):
            for p in ends:
                expected[strand, p][side if strand > 0 else 1 - side] = 1.0
    assert sorted(seen) == sorted((*key, *labels) for key, labels in expected.items())


def planted(tmp_path, n=6, swap=False):
    """A FASTA with a contig chr1 and one chr2, and a table that calls them 1 and 2, genes on either strand in turn."""
    source = SimulatedSpliceSites(n_train=n, n_validation=1, n_test=n, windows={"block": 300, "context": 40})
    names, lines, fasta = {"train": "1", "validation": "3", "test": "2"}, [], []
    for contig, split in enumerate(("train", "validation", "test")):
        fasta.append(f">chr{names[split]}\n{decode(source.genome.codes[contig])}\n")
    (tmp_path / "g.fa").write_text("".join(fasta))
    loci = source.loci
    for i, name in enumerate(loci.name):
        a, d = (
            s[(s >= loci.start[i]) & (s < loci.end[i])] for s in loci.sites[int(loci.contig[i]), int(loci.strand[i])]
        )
        left, right = (a, d) if loci.strand[i] > 0 else (d, a)
        starts, ends = [loci.start[i], *left], [*(right + 1), loci.end[i]]
        cells = ["".join(f"{x}," for x in side) for side in (starts, ends)]
        strand = "+-"[int((loci.strand[i] < 0) != swap)]
        chrom = names[name.rsplit("_", 1)[0]]
        lines.append("\t".join([name, chrom, strand, str(loci.start[i]), str(loci.end[i]), *cells]))
    lines.append("far\t1\t+\t10\t999999\t10,999990,\t20,999999,")
    lines.append("elsewhere\t7\t+\t10\t60\t10,50,\t20,60,")
    (tmp_path / "genes.txt").write_text("\n".join(lines) + "\n")
    return source, {
        "genes": str(tmp_path / "genes.txt"),
        "genome": {"name": "g", "fasta": str(tmp_path / "g.fa")},
        "windows": {"block": 300, "context": 40},
        "splits": {"train": ["1"], "validation": ["3"], "test": ["chr2"]},
    }


def test_a_table_and_a_genome_that_call_contigs_otherwise_give_the_examples_that_were_planted(tmp_path):
    simulated, arguments = planted(tmp_path)
    source = registry().build("data", "splice_sites", arguments)
    rows = np.arange(len(simulated.examples("test")))
    for key, x in simulated.examples("test").batch(rows).items():
        np.testing.assert_array_equal(source.examples("test").batch(rows)[key], x)
    assert source.notes[0].startswith("100.0% of the donors are followed by GT, 100.0% of the acceptors")
    assert source.dropped["genes_past_the_end_of_their_contig"] == 1
    assert source.dropped["genes_on_contigs_without_sequence"] == 1
    described = source.describe()
    assert described["aliases"]["1"] == "chr1"
    assert described["n"]["test"]["acceptors"] == described["n"]["test"]["donors"] > 6


def test_a_locus_across_the_border_of_a_split_is_in_none(tmp_path):
    simulated, arguments = planted(tmp_path)
    inside = simulated.loci.contig == 0
    middle = int((simulated.loci.start[inside][0] + simulated.loci.end[inside][0]) // 2)
    arguments["splits"] = {"train": [f"chr1:{middle}-"], "validation": [f"chr1:0-{middle}"], "test": ["chr2"]}
    source = registry().build("data", "splice_sites", arguments)
    assert source.dropped["train_loci_across_a_border"] >= 1
    assert len(source.examples("validation")) == 0
    assert source.numbers()["train"]["loci"] == inside.sum() - source.dropped["train_loci_across_a_border"]


def test_genes_of_another_assembly_are_refused(tmp_path):
    _, arguments = planted(tmp_path, swap=True)
    with pytest.raises(GenomeMismatch, match=r"of the donors are followed by GT .* give the genome that the genes"):
        registry().build("data", "splice_sites", arguments)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"genes": None}, "set data.genes="),
        ({"windows": {"context": 41}}, "an even number of bp"),
        ({"windows": {"blocks": 41}}, "did you mean 'block'"),
        ({"windows": {"without_sites": 2}}, "share from 0 to 1"),
        ({"genome": None}, "no genome is given"),
    ],
)
def test_what_is_missing_or_impossible_is_said_in_a_sentence(tmp_path, changed, message):
    _, arguments = planted(tmp_path)
    with pytest.raises(ConfigError, match=message):
        registry().build("data", "splice_sites", arguments | changed)


def test_training_keeps_blocks_with_sites_and_the_test_keeps_all():
    windows = {"block": 50, "context": 20}
    every, few = (SimulatedSpliceSites(n_train=5, windows={**windows, "without_sites": x}) for x in (1.0, 0.0))
    assert every.numbers()["train"]["acceptors"] == few.numbers()["train"]["acceptors"]
    assert len(few.examples("train")) < 0.7 * len(every.examples("train"))
    assert len(few.examples("test")) == len(every.examples("test"))


def test_the_simulated_sources_keep_their_promises():
    for name in ("simulated_splice_sites", "simulated_exons"):
        checks = check_component("data", name)
        assert failures(checks) == []
        assert sum(c.ok is True for c in checks) >= 8


def test_the_site_models_score_a_base_by_the_letters_around_it_and_know_sites_from_background():
    source = SimulatedSpliceSites(n_train=60, n_test=20, windows={"block": 400, "context": 100})
    batch = source.examples("test").batch(np.arange(40))
    truth = np.where(batch["weight/splice"] > 0, batch["target/splice"], np.nan)
    for baseline in source.baselines("splice"):
        score = baseline.features(batch["codes"])
        assert score.shape == truth.shape
        # A score depends on its own window alone: 20 bp before an acceptor to 2 behind it, 2 and 6 at a donor.
        changed = batch["codes"].copy()
        changed[:, 200] = (changed[:, 200] + 1) % 4
        moved = np.flatnonzero((baseline.features(changed) != score).any(0).any(0))
        assert moved.min() >= 200 - 6
        assert moved.max() <= 200 + 21
        for kind in (0, 1):
            assert score[:, kind][truth[:, kind] == 1].mean() > score[:, kind][truth[:, kind] == 0].mean() + 10
        turned = baseline.features(reverse_complement(batch["codes"]))
        assert np.median(turned[:, 0][truth[:, 0, ::-1] == 1]) < 0
    assert list(source.baselines("other")) == []


def test_a_matrix_by_hand():
    from zoo_splice.site_models import SiteModel

    donors, acceptors = np.tile(encode("CAGGTAAGT"), (50, 1)), np.tile(encode("T" * 18 + "AG" + "GAT"), (50, 1))
    background = np.random.default_rng(0).integers(0, 4, (50, 1_000)).astype(np.uint8)
    for order in (0, 1):
        model = SiteModel.fit((acceptors, donors), background, order)
        codes = encode("ACGT" * 10 + "CAGGTAAGT" + "ACGT" * 10)[None]
        score = model.score(codes)[0, 1]
        assert score.argmax() == 42
        assert score[42] == pytest.approx(9 * np.log2(51 / 54 / 0.25), abs=0.2)
        unknown = codes.copy()
        unknown[0, 43] = 4
        assert model.score(unknown)[0, 1, 42] < score[42] - 5


def test_an_evaluation_holds_the_site_models_beside_each_other_with_intervals_over_loci():
    from zoo.evaluation.evaluate import evaluate

    source = SimulatedSpliceSites(n_train=60, n_validation=5, n_test=20, windows={"block": 400, "context": 100})
    evaluation = evaluate(None, source, "test", n_bootstrap=50)
    batch = source.examples("test").batch(np.arange(len(source.examples("test"))))
    sites = int((batch["target/splice"][:, 0] * batch["weight/splice"][:, 0]).sum())
    for name in ("splice-site PWM", "splice-site Markov chain"):
        row = evaluation.value("auprc", "acceptor", name)
        assert 0.3 < row["low"] < row["value"] < row["high"] < 1
        assert row["note"].startswith(f"{sites} of {int(batch['weight/splice'].sum()):,} positions are 1")
        assert "intervals resample 20 clusters" in row["note"]
    constant = evaluation.value("auprc", "acceptor", "mean profile")
    assert constant["value"] < 0.05
