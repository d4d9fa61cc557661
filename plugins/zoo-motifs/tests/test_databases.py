"""JASPAR as pyjaspar gives it, its families, and databases of one's own."""

import numpy as np
import pytest
from pyjaspar import jaspardb

from zoo.data.motifs import RELEASE, Motif, get_motif
from zoo.errors import DataError
from zoo_motifs.databases import database, family, jaspar
from zoo_motifs.meme import write_meme


@pytest.mark.parametrize(("group", "least"), [("vertebrates", 1_000), ("nematodes", 40)])
def test_the_matrices_are_those_of_pyjaspar(group, least):
    theirs = {m.matrix_id: m for m in jaspardb(release=RELEASE).fetch_motifs(collection="CORE", tax_group=[group])}
    ours = jaspar(tax_group=group)
    assert len(ours) >= least
    assert [m.id for m in ours] == sorted(theirs)
    for motif in ours:
        assert motif.name == theirs[motif.id].name
        np.testing.assert_array_equal(motif.counts, [theirs[motif.id].counts[b] for b in "ACGT"])


def test_the_latest_version_of_each_comes_once():
    ids = [m.id for m in jaspar()]
    assert "MA0139.2" in ids
    assert len({i.partition(".")[0] for i in ids}) == len(ids)


def test_the_list_is_the_callers_own():
    jaspar().clear()
    assert len(jaspar()) > 1_000


def test_families_tell_relatives_from_strangers():
    assert family("MA0139.2").classes == ("C2H2 zinc finger factors",)
    assert family("MA0139").families == family("MA0139.2").families
    assert family("MA0080.6").shares(family("MA0081.2"))
    assert not family("MA0139.2").shares(family("MA0138.2"))
    assert len(family(get_motif("TAL1::TCF3").id).families) == 2
    for wrong in ("MA9999", "MA0139.99", "CTCF", "' or 1=1"):
        with pytest.raises(DataError, match="no matrix"):
            family(wrong)


def test_a_database_is_jaspar_or_a_file(tmp_path):
    motifs, name, notes = database("jaspar")
    assert name == f"{RELEASE} CORE vertebrates, {len(motifs):,} matrices"
    assert notes == []
    assert len(database("jaspar:insects")[0]) > 100
    write_meme(tmp_path / "mine.meme", [Motif("a", "a", np.ones((4, 3)))])
    assert database(tmp_path / "mine.meme")[1] == "mine.meme, 1 matrices"
    with pytest.raises(DataError, match=r"group 'plant': did you mean 'plants'"):
        database("jaspar:plant")
    with pytest.raises(DataError, match="does not exist"):
        database("jasper")
    with pytest.raises(DataError, match="no JASPAR release"):
        jaspar(release="JASPAR1999")
