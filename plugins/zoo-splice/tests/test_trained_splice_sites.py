"""A network trained on simulated genes beats what sees the site alone, and the tools read it through its outputs."""

import numpy as np
import pytest

from zoo.cli.main import main
from zoo.config import compose
from zoo.data.codes import decode
from zoo.files.tables import read_table
from zoo.training.run import train
from zoo_splice.simulated_genes import SimulatedSpliceSites

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("splice")]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("splice") / "run"
    quiet = ["trainer.logger=none", "trainer.bar=false", "trainer.max_epochs=5"]
    return train(compose(["experiment=simulated_splice_sites", *quiet, f"output_dir={folder}"]))


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    """The contig of the test split as FASTA, its letters, and a donor of either strand."""
    source = SimulatedSpliceSites()
    text = decode(source.genome.codes[2])
    path = tmp_path_factory.mktemp("genome") / "test.fa"
    path.write_text(f">test\n{text}\n")
    return str(path), text, {strand: int(source.loci.sites[2, strand][1][5]) for strand in (1, -1)}


def test_it_is_above_the_models_of_the_sites_letters_on_the_same_bases(run):
    for task in ("acceptor", "donor"):
        rows = {(r["predictor"], r["metric"]): r for r in run.metrics if r["task"] == task and r["split"] == "test"}
        for metric in ("auprc", "top_k"):
            own = rows["simulated-splice-sites", metric]
            for rival in ("splice-site PWM", "splice-site Markov chain"):
                assert own["value"] > rows[rival, metric]["value"] + 0.1
            assert own["low"] < own["value"] < own["high"]
        assert "positions are 1, prevalence 0.0024" in rows["simulated-splice-sites", "auprc"]["note"]
        assert "intervals resample 60 clusters" in rows["simulated-splice-sites", "top_k"]["note"]


def test_a_broken_donor_loses_its_score_on_the_strand_of_its_gene(run, genome, tmp_path):
    fasta, text, donors = genome
    places = {1: donors[1] + 1, -1: donors[-1] - 1}  # the G of GT, which the genome has as C on the other strand
    assert text[places[1]] + text[places[-1]] == "GC"
    head = "##fileformat=VCFv4.2\n##contig=<ID=test,length={}>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    lines = [f"test\t{p + 1}\t{s}\t{text[p]}\tA\t.\t.\t.\n" for s, p in sorted(places.items(), key=lambda x: x[1])]
    (tmp_path / "v.vcf").write_text(head.format(len(text)) + "".join(lines))
    words = ["score", str(tmp_path / "v.vcf"), "--model", str(run.model_folder), "--fasta", fasta]
    assert main([*words, "--output", "donor@-50..50:max", "--strands", "both", "-o", str(tmp_path / "s.tsv")]) == 0
    rows = {row["id"]: row for row in read_table(tmp_path / "s.tsv")[1]}
    forward, reverse = "donor@-50..50:max", "donor@-50..50:max.reverse"
    assert float(rows["1"][forward]) < -0.2
    assert float(rows["-1"][reverse]) < -0.2
    assert abs(float(rows["1"][reverse])) < 0.1 > abs(float(rows["-1"][forward]))


def test_mutations_and_attributions_of_a_donor_fall_on_its_gt(run, genome, tmp_path):
    fasta, _, donors = genome
    first, last = donors[1] + 1 - 30, donors[1] + 1 + 30
    where = ["--model", str(run.model_folder), "--fasta", fasta, "--output", "donor@-3..3:max:raw"]
    assert main(["mutate", f"test:{first}-{last}", *where, "-o", str(tmp_path / "m.tsv")]) == 0
    rows = read_table(tmp_path / "m.tsv")[1]
    effect = {}
    for row in rows:
        key = next(k for k in row if k.startswith("donor"))
        effect.setdefault(int(row["pos"]), []).append(abs(float(row[key])))
    highest = sorted(effect, key=lambda p: -np.mean(effect[p]))[:2]
    assert set(highest) & {donors[1] + 2, donors[1] + 3}
    (tmp_path / "r.bed").write_text(f"test\t{first}\t{last}\n")
    assert main(["attribute", str(tmp_path / "r.bed"), *where, "-o", str(tmp_path / "a.h5")]) == 0
    assert (tmp_path / "a.h5").stat().st_size > 1_000


def test_a_report_draws_what_it_can_of_labels_by_position(run):
    from zoo.report.parts import prepare
    from zoo.report.performance import performance
    from zoo.report.subject import open_subject

    subject = open_subject(str(run.folder), n=8, n_validation=0, interpreter="ism")
    kinds = [part["kind"] for part in prepare(performance(subject))]
    assert "pictures" in kinds or "picture" in kinds
