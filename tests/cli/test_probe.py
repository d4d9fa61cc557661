"""`zoo probe`: what features tell of the laboratory, and what predictions follow."""

import json

LABS = ["--data", "name=simulated_labs", "--data", "length=200", "--data", "n_validation=100", "--data", "n_test=40"]


def test_it_prints_probes_beside_chance_and_correlations_within_classes(zoo):
    shifted = ["--data", "labs={a: {gc: 0.3}, b: {gc: 0.6}}"]
    code, out, err = zoo("probe", "ctcf-motif-cnn", *LABS, *shifted, "--json")
    assert code == 0, err
    report = json.loads(out)
    assert report["domains"] == ["a", "b"]
    first = report["probes"][0]
    assert (first["rows"], first["probe"], first["n"], first["chance"]) == ("all", "linear", 200, 0.5)
    assert first["excess"] > 0.2, "the laboratories differ in GC content"
    assert {(r["covariate"], r["rows"]) for r in report["covariates"]} == {
        (covariate, rows) for covariate in ("gc", "artefact") for rows in ("all", "label 0", "label 1")
    }
    code, out, err = zoo("probe", "ctcf-motif-cnn", *LABS, "--covariate", "gc")
    assert (code, "linear" in out, "gc" in out) == (0, False, True), err


def test_one_batch_only_and_unknown_columns_are_one_sentence(zoo):
    held = ["--data", "held_out_domain=b", "--split", "test"]
    code, _, err = zoo("probe", "ctcf-motif-cnn", *LABS, *held, "--domain", "domain")
    assert (code, err.count("\n")) == (1, 1)
    assert "all 40 rows of test are of domain 'b', and a probe needs two: choose another --split" in err
    code, _, err = zoo("probe", "ctcf-motif-cnn", *LABS, "--domain", "batch")
    assert code == 1
    assert "no column 'batch'" in err


def test_results_for_each_value_of_a_column(zoo):
    code, out, err = zoo(
        "evaluate", "ctcf-motif-cnn", *LABS, "--by", "domain", "--no-baselines", "--bootstrap", "0", "--json"
    )
    assert code == 0, err
    rows = [r for r in json.loads(out)["rows"] if r["metric"] == "auroc"]
    assert {r["stratum"]: r["n"] for r in rows} == {"all": 80, "domain==a": 40, "domain==b": 40}
