"""The layout that TF-MoDISco reads, and a reader that trusts no file."""

import h5py
import numpy as np
import pytest

from zoo.attribution.hdf5 import read_h5
from zoo.attribution.result import Attributed
from zoo.errors import DataError


def test_a_file_of_hypothetical_contributions_reads_back_to_the_bit(made, tmp_path):
    attributed = made(70, n_rate=0.1, delta=np.arange(70, dtype=np.float32), centered=True)
    attributed.write(tmp_path / "t.h5")
    found = read_h5(tmp_path / "t.h5")
    for name in ("codes", "values", "predictions", "delta", "start"):
        np.testing.assert_array_equal(getattr(found, name), getattr(attributed, name), err_msg=name)
    for name in ("kind", "output", "names", "chrom", "contigs", "centered", "interpreter", "comments"):
        assert getattr(found, name) == getattr(attributed, name), name


def test_effects_become_hypothetical_without_a_change_of_what_they_say(made, tmp_path):
    attributed = made(kind="effect")
    attributed.write(tmp_path / "t.h5")
    found = read_h5(tmp_path / "t.h5")
    assert (found.kind, found.centered) == ("hypothetical", True)
    np.testing.assert_allclose(found.values.mean(1), 0, atol=1e-6)
    np.testing.assert_allclose(found.effects(), attributed.effects(), atol=1e-6)
    np.testing.assert_allclose(found.per_base(), attributed.per_base(), atol=1e-6)
    np.testing.assert_allclose(found.actual(), attributed.actual(), atol=1e-6)


@pytest.mark.parametrize("kind", ["effect", "hypothetical"])
def test_modisco_finds_what_it_multiplies(made, tmp_path, kind):
    """It takes shap/seq times raw/seq for the contributions, so that must be projected_shap/seq."""
    attributed = made(n_rate=0.1, kind=kind)
    attributed.write(tmp_path / "t.h5")
    with h5py.File(tmp_path / "t.h5") as file:
        raw, shap, projected = (file[f"{k}/seq"][:] for k in ("raw", "shap", "projected_shap"))
        assert (raw.dtype, shap.dtype) == (np.int8, np.float32)
        assert dict(file.attrs)["revision"] == "abc"
        assert file["coords/end"][:].tolist() == [1020, 1030, 1040]
    np.testing.assert_array_equal(raw.argmax(1)[attributed.codes < 4], attributed.codes[attributed.codes < 4])
    np.testing.assert_array_equal(raw.sum(1), attributed.codes < 4)
    np.testing.assert_allclose(projected, shap * raw, atol=1e-6)
    np.testing.assert_allclose(projected, attributed.actual(), atol=1e-6)


def test_names_and_comments_of_strangers_are_stored(made, tmp_path):
    names = ["a\0b", "é\udce9", "x" * 5000]
    made(names=names, comments={"model": "tiny", "aliases": "é" * 100_000}).write(tmp_path / "t.h5")
    found = read_h5(tmp_path / "t.h5")
    assert found.names == ["a b", "é?", "x" * 5000]
    assert found.comments["aliases"] == "é" * 15_000


def stranger(path, change):
    """A file of the two datasets that must be there, 2 sequences of 10 bp of which all is A."""
    with h5py.File(path, "w") as file:
        raw = np.zeros((2, 4, 10), np.int8)
        raw[:, 0] = 1
        file["raw/seq"] = raw
        file["shap/seq"] = np.ones((2, 4, 10), np.float16)
        change(file)


def test_a_file_of_another_program_is_read(tmp_path):
    stranger(tmp_path / "t.h5", lambda file: None)
    found = read_h5(tmp_path / "t.h5")
    assert isinstance(found, Attributed)
    assert (found.kind, found.names, found.chrom, found.delta) == ("hypothetical", ["1", "2"], None, None)
    assert np.isnan(found.predictions).all()
    assert (found.codes == 0).all()
    assert (found.values == 1).all()
    found.write(tmp_path / "t.tsv")


def replaced(name, **dataset):
    def change(file):
        del file[name]
        file.create_dataset(name, **dataset)

    return change


def linked(link):
    def change(file):
        del file["shap/seq"]
        file["shap/seq"] = link

    return change


def external(file):
    del file["shap/seq"]
    file.create_dataset("shap/seq", (2, 4, 10), "f4", external=[("/etc/hostname", 0, h5py.h5f.UNLIMITED)])


def virtual(file):
    layout = h5py.VirtualLayout((2, 4, 10), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (2, 4, 10))
    del file["shap/seq"]
    file.create_virtual_dataset("shap/seq", layout)


def not_one_hot(file):
    file["raw/seq"][1, 1, 3] = 1


def missing_value(file):
    file["shap/seq"][1, 1, 3] = np.nan


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda file: file.pop("shap"), "no dataset shap/seq"),
        (replaced("shap/seq", data=np.ones((2, 4, 9), np.float32)), "must both be"),
        (replaced("shap/seq", data=np.ones(3, np.float32)), "must both be"),
        (replaced("shap/seq", data=np.array(["x"], object), dtype=h5py.string_dtype()), "not a dataset of the kind"),
        (replaced("raw/seq", shape=(10**6, 4, 10**4), dtype="i1", chunks=(1, 4, 1000)), "more than its"),
        (not_one_hot, "not one-hot in row 1"),
        (missing_value, "NaN or infinity in rows 0 to 1"),
        (linked(h5py.ExternalLink("other.h5", "/x")), "link to somewhere else"),
        (linked(h5py.SoftLink("/raw/seq")), "link to somewhere else"),
        (external, "values in another file"),
        (virtual, "values in another file"),
        (lambda file: file.update({"names": np.arange(2)}), "names is not a dataset"),
        (lambda file: file.update({"predictions": np.zeros(3)}), r"predictions \(3,\) must be \(2,\)"),
        (lambda file: file.update({"coords/start": np.arange(2)}), "belong together"),
        (lambda file: file.create_group("delta"), "delta is not a dataset"),
        (lambda file: file.update({"contigs/name": ["a", "b"], "contigs/length": [1]}), r"must be \(2,\)"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(tmp_path, change, said):
    stranger(tmp_path / "t.h5", change)
    with pytest.raises(DataError, match=said):
        read_h5(tmp_path / "t.h5")


@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\n" + b"\0" * 100, b"not HDF5"])
def test_what_is_no_hdf5_is_one_line(tmp_path, content):
    (tmp_path / "t.h5").write_bytes(content)
    with pytest.raises(DataError, match="cannot be read as HDF5"):
        read_h5(tmp_path / "t.h5")


def test_a_file_cut_short_is_refused(made, tmp_path):
    made(40, 200).write(tmp_path / "t.h5")
    whole = (tmp_path / "t.h5").read_bytes()
    for size in (len(whole) // 2, len(whole) - 1000):
        (tmp_path / "cut.h5").write_bytes(whole[:size])
        with pytest.raises(DataError):
            read_h5(tmp_path / "cut.h5")


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"name": 3}', "[" * 100_000])
def test_an_interpreter_that_cannot_be_read_is_a_name(tmp_path, text):
    stranger(tmp_path / "t.h5", lambda file: file.attrs.update({"interpreter": text[:60_000]}))
    assert read_h5(tmp_path / "t.h5").interpreter == {"name": text[:60_000]}
