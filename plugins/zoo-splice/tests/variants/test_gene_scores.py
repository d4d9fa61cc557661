"""`zoo score --annotation`: a row for every allele and gene, tables and INFO, and what does not go together."""

import csv
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import zoo
from zoo.cli.main import cli
from zoo.data.genome import Genome
from zoo.effects.variants.rows import Scored, rows_of
from zoo.errors import ContractError
from zoo.hub.model_folder import save_bundle
from zoo.model import build
from zoo.variants.files import read_variants
from zoo_splice.networks.specification import ENCODER, SOFTMAX, splice_spec
from zoo_splice.variants.gene_scores import GeneScores, convention_of

ANNOTATION = """gene_id,chr,strand,start,end,jn_start,jn_end
one,1,+,101,300,"150","200"
two,1,-,251,400,"280","320"
"""
LINES = [
    "120 A C",  # gene one
    "270 A C,G,*",  # both genes, and an allele that is not written
    "50 A C",  # none
    "160 AAAAAAAAAAAA A",
    "160 A ACCGT",
    "170 AAA TTT",
    "180 C A",  # the genome has A
]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    encoder = {**ENCODER, "channels": 4, "kernels": [3, 5], "dilations": [1, 2], "blocks": 1}
    model = build(splice_spec("tiny", encoder, {**SOFTMAX, "in_channels": 4}, members=2)).eval()
    generator = torch.Generator().manual_seed(0)
    for tensor in model.parameters():
        tensor.data.copy_(torch.randn(tensor.shape, generator=generator) / 3)
    length = model.spec.input_length
    save_bundle(model, folder / "tiny", {"codes": np.zeros((1, length), np.uint8)})
    text = list(np.random.default_rng(0).choice(list("ACGT"), 500))
    text[159:182] = "A" * 23
    for line in LINES[:-1]:
        place, reference, _ = line.split()
        text[int(place) - 1 : int(place) - 1 + len(reference)] = reference
    (folder / "g.fa").write_text(f">1\n{''.join(text)}\n")
    (folder / "a.csv").write_text(ANNOTATION)
    records = "".join("1\t{}\t.\t{}\t{}\t.\tPASS\tX=1\n".format(*line.split()) for line in LINES)
    (folder / "v.vcf").write_text(f"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n{records}")
    return folder


def score(files, *words, code=0):
    command = ["score", str(files / "v.vcf"), "--model", str(files / "tiny"), "--fasta", str(files / "g.fa"), *words]
    result = CliRunner().invoke(cli, command)
    if code == 0 and result.exception:
        raise result.exception
    return result


def table(path):
    with open(path) as file:
        return list(csv.DictReader((line for line in file if not line.startswith("##")), delimiter="\t"))


@pytest.fixture(scope="module")
def rows(files):
    score(files, "--annotation", str(files / "a.csv"), "-o", str(files / "o.tsv"))
    return table(files / "o.tsv")


def test_every_allele_and_gene_has_a_row_and_nothing_is_lost(rows):
    assert [(row["pos"], row["alt"], row["gene"], row["strand"], row["status"]) for row in rows] == [
        ("120", "C", "one", "+", "ok"),
        ("270", "C", "one", "+", "ok"),
        ("270", "C", "two", "-", "ok"),
        ("270", "G", "one", "+", "ok"),
        ("270", "G", "two", "-", "ok"),
        ("270", "*", "", "", "symbolic"),
        ("50", "C", "", "", "no_gene"),
        ("160", "A", "one", "+", "ok"),
        ("160", "ACCGT", "one", "+", "ok"),
        ("170", "TTT", "one", "+", "ok"),
        ("180", "A", "", "", "ref_alt_swapped"),
    ]


def test_the_first_score_is_the_largest_and_rows_without_one_have_no_number(rows):
    for row in rows:
        scores = [row[name] for name in ("DS_AG", "DS_AL", "DS_DG", "DS_DL")]
        if row["status"] == "ok":
            assert float(row["DS"]) == max(map(float, scores))
            assert all(-50 <= int(row[name]) <= 62 for name in ("DP_AG", "DP_AL", "DP_DG", "DP_DL"))
        else:
            assert {row["DS"], row["DP_AG"], *scores} == {"NA"}


def test_the_table_says_thresholds_and_that_others_are_better_for_deep_introns(files, rows):
    head = (files / "o.tsv").read_text()
    assert "##thresholds=0.2 (high recall), 0.5 (recommended), 0.8 (high precision)" in head
    assert "e0348885) found the best cut-offs for deep-intronic variants ten times lower" in head


def test_info_is_laid_out_as_the_published_tool_does(files, rows):
    score(files, "--annotation", str(files / "a.csv"), "-o", str(files / "o.vcf"))
    text = (files / "o.vcf").read_text()
    records = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    assert len(records) == len(LINES)
    of_row = [
        "|".join(
            [row["alt"], row["gene"]]
            + [f"{float(row[name]):.2f}" for name in ("DS_AG", "DS_AL", "DS_DG", "DS_DL")]
            + [row[name] for name in ("DP_AG", "DP_AL", "DP_DG", "DP_DL")]
        )
        for row in rows
        if row["status"] == "ok"
    ]
    info = records[1][7].split(";")
    assert info == ["X=1", f"CISpliceAI={','.join(of_row[1:5])}", "ZOO_status=ok,ok,symbolic", "ZOO_notes=.,.,."]
    assert records[2][7] == "X=1;ZOO_status=no_gene;ZOO_notes=."
    assert "ALLELE|SYMBOL|DS_AG|DS_AL|DS_DG|DS_DL|DP_AG|DP_AL|DP_DG|DP_DL" in text
    assert "##zoo_thresholds=0.2" in text


def test_both_strands_are_scored_where_no_gene_lies_if_asked(files):
    score(files, "--annotation", str(files / "a.csv"), "--strands", "both", "-o", str(files / "b.tsv"))
    rows = [row for row in table(files / "b.tsv") if row["pos"] == "50"]
    assert [(row["gene"], row["strand"], row["status"]) for row in rows] == [("+", "+", "ok"), ("-", "-", "ok")]


def test_a_mask_and_a_distance_change_the_scores(files, rows):
    how = "--annotation", str(files / "a.csv")
    score(files, *how, "--mask", "--distance", "10", "-o", str(files / "m.tsv"))
    masked = table(files / "m.tsv")
    assert [row["status"] for row in masked] == [row["status"] for row in rows]
    near = [row for row in masked if row["status"] == "ok" and len(row["ref"]) == 1]
    assert all(-10 <= int(row["DP_AG"]) <= 11 for row in near)
    assert [row["DS_AL"] for row in masked] != [row["DS_AL"] for row in rows]
    assert all(float(a["DS_AL"]) <= float(b["DS_AL"]) + 1e-6 for a, b in zip(masked, rows, strict=True) if a["gene"])


def test_the_largest_rows_alone_are_written_if_asked(files, rows):
    score(files, "--annotation", str(files / "a.csv"), "--top", "2", "-o", str(files / "t.tsv"))
    best = sorted((float(row["DS"]) for row in rows if row["status"] == "ok"), reverse=True)[:2]
    assert [float(row["DS"]) for row in table(files / "t.tsv")] == best


def test_a_spelling_that_is_not_the_normal_one_is_scored_as_written_and_noted(files):
    # 12 times A to 1 within a run of A: the normal spelling begins further left
    (files / "w.vcf").write_text((files / "v.vcf").read_text().replace("\t160\t", "\t162\t"))
    frame = zoo.score_variants(
        str(files / "tiny"), str(files / "w.vcf"), fasta=files / "g.fa", annotation=str(files / "a.csv")
    )
    notes = dict(zip(zip(frame["pos"], frame["alt"], strict=True), frame["notes"], strict=True))
    assert notes[162, "ACCGT"] == ""
    assert notes[162, "A"] == "not_normal"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--share", "100"], "--share does not go with --annotation"),
        (["--strands", "average"], "--strand does not go with --annotation"),
        (["--features", "a.gtf"], "--feature does not go with --annotation"),
        (["--distance", "9999"], "distance 9999 must be 2 to 4,999 bp"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_sentence(files, words, sentence):
    result = score(files, "--annotation", str(files / "a.csv"), *words, "-o", str(files / "x.tsv"), code=1)
    assert sentence in str(result.exception)


def test_distance_and_mask_need_an_annotation_and_a_model_of_splice_sites(files):
    result = score(files, "--distance", "20", "-o", str(files / "x.tsv"), code=1)
    assert "--distance is of scores by gene: give --annotation with it" in str(result.exception)
    with pytest.raises(zoo.ZooError, match="no installed plugin scores variants by gene with model 'ctcf-motif-cnn'"):
        zoo.score_variants("ctcf-motif-cnn", str(files / "v.vcf"), fasta=files / "g.fa", annotation="grch37")


@pytest.mark.parametrize(
    ("name", "architecture", "key"),
    [
        ("mine", "spliceai", "SpliceAI"),
        ("mine", "openspliceai", "SpliceAI"),
        ("spliceai-10k", None, "SpliceAI"),
        ("mine", None, "CISpliceAI"),
    ],
)
def test_the_convention_is_that_of_the_original_whatever_the_model_is_called(name, architecture, key):
    training = {"import": {"architecture": architecture}} if architecture else {}
    spec = replace(splice_spec("tiny", ENCODER, SOFTMAX, members=1), name=name, training=training)
    assert convention_of(spec).key == key


def test_places_are_whole_numbers_by_their_names_wherever_they_stand(files):
    genome = Genome(files / "g.fa")
    part = next(iter(read_variants(["1:120:A>C"], genome)))
    values = np.array([[7.0, 0.25, np.nan, 1.5, 2.5, 3.5]], np.float32)
    scored = Scored(values, np.array(["ok"], object), allele=np.array([0]), labels=[["one", "+"]])
    (row,) = rows_of(part, scored, ("DP_X", "a", "DP_Y", "b", "c", "d"))
    assert row[6:14] == ["one", "+", 7, 0.25, None, 1.5, 2.5, 3.5]


def test_layers_that_answer_otherwise_than_the_model_stop_the_run(files):
    genome, model = Genome(files / "g.fa"), zoo.load(str(files / "tiny"))
    scorer = GeneScores(model, genome, annotation=str(files / "a.csv"))
    scorer.stacks[0].blocks[0].second[1].add_(1.0)  # the model shares these weights
    scorer.stacks[0].blocks[0].first[1].add_(5.0)  # and has these with the normalisation folded in
    from zoo.effects.variants.job import ScoreJob

    with pytest.raises(ContractError, match="give other outputs than the whole model"):
        ScoreJob(["1:120:A>C"], genome, scorer).table()
