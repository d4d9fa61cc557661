"""data=fasta: posted sets, split so that nothing is on two sides."""

import json

import numpy as np
import pytest

from zoo.data.codes import COMPLEMENT, decode, encode
from zoo.data.sources.fasta import Fasta
from zoo.errors import ConfigError, DataError


def rc(letters):
    return decode(COMPLEMENT[encode(letters)][::-1])


@pytest.fixture
def made():
    rng = np.random.default_rng(0)
    return ["".join(rng.choice(list("ACGT"), rng.choice([40, 50]))) for _ in range(400)]


def put(path, letters, headers=None):
    headers = headers or [f"{path.stem}{i}" for i in range(len(letters))]
    path.write_text("".join(f">{h}\n{s}\n" for h, s in zip(headers, letters, strict=True)))
    return str(path)


def letters_of(examples):
    return [decode(examples.batch(np.array([i]))["codes"][0]) for i in range(len(examples))]


def test_duplicates_and_reverse_complements_fall_into_one_split_and_come_once(tmp_path, made):
    positives = made[:200] + [rc(s) for s in made[:100]]
    source = Fasta(positives=put(tmp_path / "p.fa", positives), negatives=put(tmp_path / "n.fa", made[200:]))
    found = {split: letters_of(source.examples(split)) for split in ("train", "validation", "test")}
    assert sum(map(len, found.values())) == 400
    assert len({min(s, rc(s)) for letters in found.values() for s in letters}) == 400
    said = source.describe()
    assert said["dropped"] == {"duplicates": 100}
    assert said["audit"]["clean"]
    assert json.loads(json.dumps(said)) == said
    assert 20 < said["n"]["test"]["positives"] + said["n"]["test"]["negatives"] < 65


def test_the_posted_test_set_stays_whole_and_training_forgets_it(tmp_path, made):
    source = Fasta(
        root=str(tmp_path),
        positives=[put(tmp_path / "p.fa", made[:100]).rsplit("/", 1)[1]],
        negatives=put(tmp_path / "n.fa", [*made[100:200], rc(made[300])]),
        test_positives=put(tmp_path / "tp.fa", [made[3], made[3], *made[200:210]]),
        test_negatives=put(tmp_path / "tn.fa", made[300:310]),
    )
    assert source.describe()["n"]["test"] == {"positives": 12, "negatives": 10}
    assert source.describe()["dropped"] == {"in_or_overlapping_test": 2}
    assert source.describe()["audit"]["clean"]
    assert made[3] not in letters_of(source.examples("train")) + letters_of(source.examples("validation"))


def test_sequences_with_both_labels_are_not_trained_on(tmp_path, made):
    source = Fasta(
        positives=put(tmp_path / "p.fa", made[:200]), negatives=put(tmp_path / "n.fa", [rc(made[0]), *made[200:]])
    )
    assert source.describe()["dropped"]["with_both_labels"] == 2


def test_overlapping_intervals_fall_into_one_split(tmp_path):
    rng = np.random.default_rng(1)
    chromosome = "".join(rng.choice(list("ACGT"), 20_000))
    starts = np.sort(rng.integers(0, 19_950, 500))
    headers = [f"chr1:{s}-{s + 50}" for s in starts]
    windows = [chromosome[s : s + 50] for s in starts]
    source = Fasta(
        positives=put(tmp_path / "p.fa", windows[::2], headers[::2]),
        negatives=put(tmp_path / "n.fa", windows[1::2], headers[1::2]),
    )
    assert source.describe()["audit"]["clean"]
    assert min(len(source.examples(s)) for s in ("train", "validation", "test")) > 0


@pytest.mark.parametrize("words", [("0", "1"), ("False", "True"), ("no", "yes"), ("negative", "positive")])
def test_words_for_classes_in_the_headers_are_read(tmp_path, made, words):
    headers = [f"s{i}; class:{words[i % 2]}" for i in range(400)]
    n = Fasta(positives=put(tmp_path / "p.fa", made, headers)).describe()["n"]
    numbered = Fasta(positives=put(tmp_path / "q.fa", made, [f"s{i}; class:{i % 2}" for i in range(400)]))
    assert n == numbered.describe()["n"]


def test_few_positives_are_in_every_split(tmp_path, made):
    source = Fasta(positives=put(tmp_path / "p.fa", made[:4]), negatives=put(tmp_path / "n.fa", made[4:204]))
    assert all(n["positives"] for n in source.describe()["n"].values())
    assert source.notes == ["splits are drawn in fixed numbers: a plain draw left one of them without a class"]


def test_classes_may_stand_in_the_headers(tmp_path, made):
    headers = [f"s{i}; class:{i % 2}" for i in range(400)]
    source = Fasta(positives=put(tmp_path / "p.fa", made, headers))
    examples = source.examples("train")
    batch = examples.batch(np.flatnonzero(examples.lengths == 40)[:9])
    names = examples.identity(np.flatnonzero(examples.lengths == 40)[:9])["name"]
    assert [n[-1] for n in names] == [str(int(v)) for v in batch["target/binding"][:, 0]]
    with pytest.raises(ConfigError, match=r"line 3: 'b' has no .*set data\.negatives"):
        Fasta(positives=put(tmp_path / "q.fa", ["A", "C"], ["a; class:1", "b"]))


def test_what_is_missing_is_said(tmp_path, made):
    with pytest.raises(ConfigError, match=r"set data\.positives="):
        Fasta()
    files = {"positives": put(tmp_path / "p.fa", made[:50]), "negatives": put(tmp_path / "n.fa", made[50:100])}
    with pytest.raises(ConfigError, match=r"data\.test_negatives is given without data\.test_positives"):
        Fasta(**files, test_negatives=files["negatives"])
    with pytest.raises(DataError, match="no sequence is left for validation"):
        Fasta(**files, splits={"validation": 0.0})
    with pytest.raises(DataError, match="no flanks"):
        Fasta(**files).examples("train").batch(np.array([0]), margin=1)
