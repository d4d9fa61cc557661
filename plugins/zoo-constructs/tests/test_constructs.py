"""A library of constructs: what is read, what is left out, what stays on one side of a split."""

import numpy as np
import pytest

from zoo.data.codes import decode
from zoo.errors import ConfigError, DataError
from zoo.testing.source import check_source
from zoo_constructs.library.constructs import Constructs
from zoo_constructs.library.measurements import moderated


def dna(rng, n):
    return "".join(rng.choice(list("ACGT"), n))


def table(path, columns, rows):
    path.write_text("\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]) + "\n")
    return str(path)


def library(tmp_path, n=120, seed=0):
    rng = np.random.default_rng(seed)
    parts, flanks = [dna(rng, 30) for _ in range(12)], [dna(rng, 15) for _ in range(10)]
    rows = [(flanks[i % 10], parts[i // 10], dna(rng, 20), *rng.normal(size=3).round(4)) for i in range(n)]
    return table(tmp_path / "library.csv", ["left", "part", "right", "r1", "r2", "r3"], rows)


def test_parts_are_joined_replicates_averaged_and_the_contract_is_kept(tmp_path):
    path = library(tmp_path)
    source = Constructs(
        library=path,
        parts=["left", "part", "right"],
        replicates={"activity": ["r1", "r2", "r3"]},
        splits={"by": "part:part"},
    )
    assert [c.name for c in check_source(source) if c.ok is False] == []
    batch = source.examples("train").batch(np.arange(2))
    row = source.rows["train"][0]
    cells = (tmp_path / "library.csv").read_text().splitlines()[1 + row].split(",")
    assert decode(batch["codes"][0]) == "".join(cells[:3])
    values = np.array(cells[3:], float)
    assert batch["target/activity"][0, 0] == pytest.approx(values.mean(), abs=1e-5)
    assert source.measurements.sampling_variance[row, 0] == pytest.approx(values.var(ddof=1) / 3, rel=1e-4)
    assert (batch["variance/activity"] > 0).all()


def test_no_part_is_on_two_sides(tmp_path):
    source = Constructs(
        library=library(tmp_path),
        parts=["left", "part", "right"],
        targets=["r1"],
        splits={"by": "part:part", "test": 0.3},
    )
    sides = [set(source.parts["part"][rows]) for rows in source.rows.values()]
    assert all(sides)
    assert sum(map(len, sides)) == len(set.union(*sides))
    assert source.describe()["audit"]["similarity"]["test"]["parts_known"]["part"] == 0
    with pytest.raises(ConfigError, match="none of the parts"):
        Constructs(library=library(tmp_path), parts=["left"], targets=["r1"], splits={"by": "part:promoter"})


def test_near_duplicates_shifted_or_turned_stay_on_one_side(tmp_path):
    rng = np.random.default_rng(1)
    turned = str.maketrans("ACGT", "TGCA")
    rows, family = [], []
    for i in range(60):
        whole = dna(rng, 130)
        changed = list(whole)
        for at in rng.choice(130, 8, replace=False):
            changed[at] = "ACGT"["TGCA".index(changed[at])]
        for some in (whole[:120], whole[10:], "".join(changed)[5:125], whole[5:125].translate(turned)[::-1]):
            rows.append((some, i))
            family.append(i)
    path = table(tmp_path / "near.csv", ["sequence", "activity"], rows)
    source = Constructs(library=path, targets=["activity"], splits={"test": 0.3, "validation": 0.2})
    assert source.how["groups"] == 60
    for i in range(60):
        assert len(set(source.codes[np.array(family) == i])) == 1
    assert source.describe()["audit"]["similarity"]["test"]["near_duplicates"] == 0
    cut = Constructs(library=path, targets=["activity"], splits={"by": "sequence", "test": 0.3})
    assert cut.describe()["audit"]["similarity"]["test"]["near_duplicates"] > 10


def variants(rng, parents, each, changes=3):
    for parent in [dna(rng, 165) for _ in range(parents)]:
        for _ in range(each):
            letters = list(parent)
            for at in rng.choice(165, changes, replace=False):
                letters[at] = "TGCA"["ACGT".index(letters[at])]
            yield "".join(letters), rng.integers(9)


def test_variants_of_a_few_sequences_are_not_called_free_of_near_duplicates(tmp_path):
    rng = np.random.default_rng(7)
    path = table(tmp_path / "variants.csv", ["sequence", "y"], list(variants(rng, 10, 80)))
    source = Constructs(library=path, targets=["y"], splits={"test": 0.3, "validation": 0.2})
    test = source.describe()["audit"]["similarity"]["test"]
    assert test["mostly_common"] == test["n"] > 0
    assert any("800 constructs are mostly of 10-mers" in note for note in source.notes)
    rows = [(dna(rng, 120), rng.integers(9)) for _ in range(200)]
    apart = Constructs(library=table(tmp_path / "apart.csv", ["sequence", "y"], rows), targets=["y"])
    assert apart.describe()["audit"]["similarity"]["test"]["mostly_common"] == 0
    assert not any("mostly" in note for note in apart.notes)


def test_groups_that_leave_none_to_train_on_are_refused_with_the_remedy(tmp_path):
    path = table(tmp_path / "one.csv", ["sequence", "y"], list(variants(np.random.default_rng(8), 1, 40)))
    with pytest.raises(DataError, match=r"\(1 of 40 rows\) are not cut: choose another data.splits.by"):
        Constructs(library=path, targets=["y"], splits={"test": 0.5, "validation": 0.499})


def test_a_feature_of_several_pieces_is_no_part(tmp_path):
    from Bio.Seq import Seq
    from Bio.SeqFeature import CompoundLocation, SeqFeature, SimpleLocation
    from Bio.SeqIO import write
    from Bio.SeqRecord import SeqRecord

    rng, records = np.random.default_rng(9), []
    for i in range(30):
        about = {"molecule_type": "DNA", "topology": "circular"}
        record = SeqRecord(Seq(dna(rng, 60)), id=f"c{i}", name=f"c{i}", description=f"y={i}.5", annotations=about)
        over = CompoundLocation([SimpleLocation(50, 60), SimpleLocation(0, 5)])
        record.features = [SeqFeature(over if i < 4 else SimpleLocation(5, 25), type="promoter")]
        records.append(record)
    write(records, tmp_path / "plasmids.gb", "genbank")
    source = Constructs(library=str(tmp_path / "plasmids.gb"), sequence="sequence", parts=["promoter"], targets=["y"])
    assert source.dropped["without_a_sequence_or_part"] == 4
    assert {len(letters) for letters in source.parts["promoter"]} == {20}


def test_rows_that_are_left_out_are_counted(tmp_path):
    rng = np.random.default_rng(2)
    rows = [(dna(rng, 50), 1.0 + i) for i in range(40)] + [("", 1), (dna(rng, 50), ""), ("ACGTM" * 10, 2)]
    source = Constructs(library=table(tmp_path / "l.csv", ["sequence", "y"], rows), targets=["y"], other_letters="drop")
    assert source.dropped == {"without_a_sequence_or_part": 1, "with_letters_beyond_ACGTN": 1, "without_an_activity": 1}
    assert sum(map(len, source.rows.values())) == 40


def test_bad_input_is_one_sentence_with_the_remedy(tmp_path):
    rng = np.random.default_rng(3)
    rows = [("MMMM" + (s := dna(rng, 46)), "ACGT" + s, s[:20], i) for i in range(20)]
    path = table(tmp_path / "m.csv", ["realA", "realB", "part", "expr"], rows)
    with pytest.raises(DataError, match=r"is it a masked copy\? 'realB' holds ACGTN alone"):
        Constructs(library=path, sequence="realA", targets=["expr"])
    with pytest.raises(DataError, match="does not follow the parts before it"):
        Constructs(library=path, sequence="realB", parts=["part", "realB"], targets=["expr"])
    with pytest.raises(DataError, match="no column 'rep2'"):
        Constructs(library=path, sequence="realB", replicates={"y": ["expr", "rep2"]})
    with pytest.raises(ConfigError, match="give two or more"):
        Constructs(library=path, sequence="realB", replicates={"y": ["expr"]})


def test_fasta_and_genbank_read_as_the_table_does(tmp_path):
    rng = np.random.default_rng(4)
    names = [f"c{i}" for i in range(30)]
    letters = [dna(rng, 60) for _ in names]
    fasta, genbank = tmp_path / "l.fa", tmp_path / "l.gb"
    fasta.write_text(
        "".join(
            f">{n} activity={i}.5\n{s[:40]}\n{s[40:]}\n" for i, (n, s) in enumerate(zip(names, letters, strict=True))
        )
    )
    from Bio.Seq import Seq
    from Bio.SeqFeature import FeatureLocation, SeqFeature
    from Bio.SeqIO import write
    from Bio.SeqRecord import SeqRecord

    records = []
    for i, (name, s) in enumerate(zip(names, letters, strict=True)):
        record = SeqRecord(
            Seq(s), id=name, name=name, description=f"activity={i}.5", annotations={"molecule_type": "DNA"}
        )
        record.features = [
            SeqFeature(FeatureLocation(10, 30), type="promoter"),
            SeqFeature(FeatureLocation(35, 60), type="RBS"),
        ]
        records.append(record)
    write(records, genbank, "genbank")
    one = Constructs(library=str(fasta), targets=["activity"])
    two = Constructs(library=str(genbank), sequence="sequence", parts=["promoter", "RBS"], targets=["activity"])
    assert np.array_equal(one.sequences.codes, two.sequences.codes)
    assert np.array_equal(one.measurements.values, two.measurements.values)
    assert one.sequences.headers == names
    assert two.parts["promoter"][3] == letters[3][10:30]


def test_counts_of_barcodes_are_log_ratios(tmp_path):
    rng = np.random.default_rng(5)
    rows = [(dna(rng, 40), 100 * (1 + i % 2), 100 * (1 + i % 2), 100, 100) for i in range(40)]
    path = table(tmp_path / "b.csv", ["sequence", "rna1", "rna2", "dna1", "dna2"], rows)
    source = Constructs(library=path, barcodes={"activity": {"rna": ["rna1", "rna2"], "dna": ["dna1", "dna2"]}})
    low, high = np.unique(source.measurements.values.round(4))
    assert high - low == pytest.approx(1, abs=0.01)


def test_moderated_variances_lie_between_their_own_and_the_common_one():
    rng = np.random.default_rng(6)
    truth = 2.0 / rng.chisquare(6, 4_000) * 6
    own = truth * rng.chisquare(2, 4_000) / 2
    shrunk, prior = moderated(own, np.full(4_000, 2))
    assert 4 < prior < 9
    assert ((shrunk - truth) ** 2).mean() < 0.6 * ((own - truth) ** 2).mean()


def test_a_library_brings_baselines_of_bases_and_of_the_parts_that_recur(tmp_path):
    source = Constructs(library=library(tmp_path), parts=["left", "part", "right"], targets=["r1"])
    names = [baseline.name for baseline in source.baselines("activity")]
    assert names == ["additive bases", "pairwise bases", "additive parts", "pairwise parts"]
    codes = source.examples("train").batch(np.arange(5))["codes"]
    assert (source.baselines("activity")[2].features(codes).sum(1) == 2).all()
