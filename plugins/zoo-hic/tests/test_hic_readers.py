"""`read_map` and `write_cool`: known counts and weights through every format, and files that must be refused."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import cooler
import h5py
import hictkpy
import numpy as np
import pytest

from zoo.errors import ConfigError, DataError, GenomeMismatch
from zoo_hic.maps import ContactMap
from zoo_hic.readers import hdf5_probe, read_map
from zoo_hic.writers import write_cool

BINS = {"chr1": slice(0, 20), "chr2": slice(20, 30), "chrM": slice(30, 35)}
WEIGHTS = np.linspace(0.5, 2, 35)
WEIGHTS[[3, 24]] = np.nan


def balanced(counts, weights, contig):
    return (counts * np.outer(weights, weights))[BINS[contig], BINS[contig]]


def test_cool_is_read_as_it_was_written(write):
    path, counts = write.cool(weights={"weight": WEIGHTS}, assembly="toy1")
    contacts = read_map(path)
    assert contacts.contigs == tuple(write.sizes)
    assert dict(contacts.sizes) == write.sizes
    assert (contacts.resolution, contacts.name) == (100, "map")
    assert contacts.origin["assembly"] == "toy1"
    assert contacts.origin["reader"].startswith("hictkpy")
    for contig, here in BINS.items():
        np.testing.assert_allclose(contacts.square(contig), balanced(counts, WEIGHTS, contig), rtol=1e-6)
        known = np.isfinite(WEIGHTS[here])
        raw = contacts.square(contig, balanced=False)
        np.testing.assert_array_equal(raw[known][:, known], counts[here, here][known][:, known])


def test_cooler_reads_what_hictk_refuses(write, monkeypatch):
    path, counts = write.cool(weights={"weight": WEIGHTS})

    def refuse(*_):
        raise RuntimeError("not a valid Cooler file")

    with monkeypatch.context() as m:
        m.setattr(hictkpy, "File", refuse)
        contacts = read_map(path)
        assert contacts.origin["reader"].startswith("cooler")
        for contig in BINS:
            np.testing.assert_allclose(contacts.square(contig), balanced(counts, WEIGHTS, contig), rtol=1e-6)


def test_one_resolution_of_several(write):
    path, counts = write.mcool(resolutions=(100, 250))
    with pytest.raises(ConfigError, match=r"resolutions of 100, 250 bp: choose one"):
        read_map(path, balance="none")
    for given in ({"path": path, "resolution": 250}, {"path": f"{path}::/resolutions/250"}):
        contacts = read_map(**given, balance="none")
        assert contacts.resolution == 250
        np.testing.assert_array_equal(contacts.square("chr1", balanced=False), counts[250][:8, :8])
    with pytest.raises(DataError, match=r"no bins of 120 bp.*only 100, 250: choose one, or a multiple"):
        read_map(path, resolution=120)
    with pytest.raises(ConfigError, match="choose one of /resolutions/100, /resolutions/250"):
        read_map(f"{path}::/resolutions/7", balance="none")


def test_a_multiple_is_made_from_the_coarsest_that_divides_it(write):
    path, counts = write.mcool(resolutions=(100, 200), weights=None)
    contacts = read_map(path, resolution=400, balance="none")
    assert contacts.origin["coarsened_from"] == 200
    upper = np.triu(counts[200][:10, :10])
    assert contacts.square("chr1", balanced=False)[0, 1] == upper[:2, 2:4].sum()
    assert "sums of 2 x 2 of 200 bp" in contacts.notes[-1]


@pytest.mark.parametrize("name", ["KR", "VC", "SCALE", "GW_KR"])
def test_weights_of_juicer_in_a_cool_divide(write, name):
    path, counts = write.cool(weights={name: WEIGHTS})
    square = read_map(path, balance=name).square("chr2")
    np.testing.assert_allclose(square, balanced(counts, 1 / WEIGHTS, "chr2"), rtol=1e-6)
    theirs = hictkpy.File(path).fetch("chr2", normalization=name, count_type=float).to_numpy()
    np.testing.assert_allclose(square, theirs, rtol=1e-6)


def test_weights_of_unknown_kind_are_not_guessed(write):
    path, counts = write.cool(weights={"mine": WEIGHTS})
    with pytest.raises(DataError, match=r"multiply or divide is not known.*divisive_weights of bins/mine"):
        read_map(path, balance="mine")
    for divisive, wanted in ((True, 1 / WEIGHTS), (False, WEIGHTS)):
        with h5py.File(path, "r+") as file:
            file["bins/mine"].attrs["divisive_weights"] = divisive
        np.testing.assert_allclose(
            read_map(path, balance="mine").square("chr1"), balanced(counts, wanted, "chr1"), rtol=1e-6
        )


def test_vectors_of_hic_divide(write):
    vectors = {("KR", "chr1"): np.linspace(1, 2, 20), ("KR", "chr2"): np.linspace(2, 1, 10)}
    vectors["KR", "chr1"][4] = np.nan
    path, counts = write.hic(norms={**vectors, ("KR", "chrM"): np.full(5, 2.0)})
    contacts = read_map(path, balance="KR")
    assert contacts.resolution == 100
    for (_, contig), v in vectors.items():
        wanted = counts[BINS[contig], BINS[contig]] / np.outer(v, v)
        np.testing.assert_allclose(contacts.square(contig), wanted, rtol=1e-5)
    with pytest.raises(DataError, match="no weights 'weight', it has KR: choose balance=KR, or balance=none"):
        read_map(path)


def test_contig_without_a_vector_is_masked(write):
    path, _ = write.hic(norms={("KR", "chr1"): np.ones(20)})
    contacts = read_map(path, balance="KR")
    assert np.isfinite(contacts.square("chr1")).all()
    assert np.isnan(contacts.square("chr2")).all()


def test_hic_has_several_resolutions(write):
    path, counts = write.hic(resolutions=(100, 200))
    with pytest.raises(ConfigError, match="resolutions of 100, 200 bp: choose one"):
        read_map(path, balance="none")
    contacts = read_map(path, resolution=100, balance="none")
    np.testing.assert_array_equal(contacts.square("chr2", balanced=False), counts[20:30, 20:30])
    with pytest.raises(DataError, match=r"not balanced.*balance=none"):
        read_map(path, resolution=100)
    with pytest.raises(ConfigError, match="leave out what follows ::"):
        read_map(f"{path}::/resolutions/100")


def test_unbalanced_map_is_refused_with_the_remedy(write):
    path, _ = write.cool()
    with pytest.raises(DataError, match=r"run `cooler balance .*map.cool`, or read raw counts with balance=none"):
        read_map(path)
    assert read_map(path, balance="none").weights is None
    path, _ = write.cool("masked.cool", weights={"weight": np.full(35, np.nan)})
    with pytest.raises(DataError, match=r"mask all bins of chr1.*balance it again"):
        read_map(path)


def test_contigs_take_the_names_of_the_fasta(write):
    path, counts = write.cool()
    own = {"1": 1_950, "MT": 430, "X": 5_000}
    contacts = read_map(path, balance="none", fasta=own)
    assert contacts.contigs == ("1", "MT")
    np.testing.assert_array_equal(contacts.square("1", balanced=False), counts[:20, :20])
    notes = " | ".join(contacts.notes)
    assert "chr1 is 1, chrM is MT" in notes
    assert "does not have chr2: left out" in notes
    assert "the map does not have X" in notes
    assert read_map(path, balance="none", fasta=own, contigs=["chrM"]).contigs == ("MT",)


def test_fasta_file_gives_the_lengths(write, tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    path, _ = write.cool()
    fasta = tmp_path / "toy.fa"
    fasta.write_text("".join(f">{c}\n{'ACGT' * (n // 4 + 1)}"[: len(c) + 2 + n] + "\n" for c, n in write.sizes.items()))
    contacts = read_map(path, balance="none", fasta=fasta)
    assert contacts.origin["fasta"] == "toy"
    assert not contacts.notes


def test_other_assembly_only_when_asked_for(write):
    path, _ = write.cool(sizes={"chr1": 100_001, "chr2": 50_003}, resolution=1_000)
    near = read_map(path, balance="none", fasta={"chr1": 100_001, "chr2": 50_050})
    assert "lengths of 1 contigs differ from the sizes given by less than 0.1%: chr2 has 50,003 bp" in near.notes[0]
    other = {"chr1": 100_001, "chr2": 50_100}
    with pytest.raises(GenomeMismatch, match=r"chr2 has 50,003 bp, in the sizes given 50,100.*--allow-other-assembly"):
        read_map(path, balance="none", fasta=other)
    contacts = read_map(path, balance="none", fasta=other, allow_other_assembly=True)
    assert contacts.sizes["chr2"] == 50_003
    assert "another assembly" in contacts.notes[0]
    with pytest.raises(GenomeMismatch, match="use the FASTA that the reads were mapped to"):
        read_map(path, balance="none", fasta={"scaffold_7": 100_001})
    with pytest.raises(GenomeMismatch, match="has both 'chr1' and '1' for 'chr1'"):
        two, _ = write.cool("two.cool", sizes={"chr1": 900, "1": 900})
        read_map(two, balance="none", fasta={"chr1": 900})


def test_lengths_written_as_whole_bins(write):
    """Up or down by less than a bin is accepted where every length is whole bins, and only there."""
    path, _ = write.cool(sizes={"chr1": 20_000, "chr2": 10_000}, resolution=1_000)
    contacts = read_map(path, balance="none", fasta={"chr1": 19_100, "chr2": 10_900})
    assert "lengths of 2 contigs are whole bins, less than one (1,000 bp) from the sizes given's" in contacts.notes[0]
    with pytest.raises(GenomeMismatch, match="another assembly"):
        read_map(path, balance="none", fasta={"chr1": 18_900, "chr2": 10_000})
    odd, _ = write.cool("odd.cool", sizes={"chr1": 20_000, "chr2": 10_001}, resolution=1_000)
    with pytest.raises(GenomeMismatch, match="another assembly"):
        read_map(odd, balance="none", fasta={"chr1": 19_100, "chr2": 10_001})


def test_missing_chromosome(write):
    path, _ = write.cool()
    with pytest.raises(GenomeMismatch, match="no contig 'chr21'"):
        read_map(path, balance="none", contigs=["chr1", "chr21"])
    assert read_map(path, balance="none", contigs=["MT", "1"]).contigs == ("chr1", "chrM")


def test_files_that_are_no_map(write, tmp_path):
    text = tmp_path / "map.cool"
    text.write_text("chr1\t0\t100\n")
    with pytest.raises(DataError, match=r"none of .cool, .mcool and .hic"):
        read_map(text)
    with pytest.raises(DataError, match=r"No such file.*check the path"):
        read_map(tmp_path / "absent.cool")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(DataError, match="HDF5 but no cooler"):
        read_map(tmp_path / "other.h5")


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.97])
@pytest.mark.parametrize("kind", ["cool", "hic"])
def test_cut_off_files(write, kind, share):
    path, _ = getattr(write, kind)()
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DataError, match="cut off or damaged, fetch it again"):
        read_map(path, balance="none").square("chr1", balanced=False)


def test_bins_and_storage_that_are_not_understood(write, tmp_path):
    path, _ = write.cool("square.cool", symmetric_upper=False, triucheck=False)
    with pytest.raises(DataError, match="'square' contacts, not symmetric-upper"):
        read_map(path, balance="none")
    import pandas as pd

    bins = pd.DataFrame({"chrom": "chr1", "start": [0, 70, 100, 290], "end": [70, 100, 290, 300]})
    pixels = pd.DataFrame({"bin1_id": [0], "bin2_id": [1], "count": [3]})
    cooler.create_cooler(str(tmp_path / "fragments.cool"), bins, pixels)
    with pytest.raises(DataError, match="bins of various sizes: bin it at one size"):
        read_map(tmp_path / "fragments.cool", balance="none")
    path, _ = write.cool("old.cool", weights={"KR": WEIGHTS})
    with h5py.File(path, "r+") as file:
        file.attrs["generated-by"] = "hic2cool-0.4.2"
    with pytest.raises(DataError, match="run `hic2cool update"):
        read_map(path, balance="KR")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f["pixels/count"].__setitem__(0, -1), "below 0 or not finite"),
        (lambda f: f["bins/start"].__setitem__(3, 7), "not a grid of 100 bp"),
        (lambda f: f["chroms/length"].__setitem__(0, 10**9), "not a grid of 100 bp|cut off or damaged"),
        (lambda f: f.attrs.__setitem__("bin-size", 0), "less than 1 bp"),
        (lambda f: f.__delitem__("pixels/bin2_id"), "it is no cooler, or cut off"),
    ],
)
def test_damaged_tables(write, change, message):
    path, _ = write.cool()
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(DataError, match=message):
        read_map(path, balance="none").square("chr1", balanced=False)


def test_links_to_other_files_are_not_followed(write, tmp_path):
    path, _ = write.cool()
    os.rename(path, tmp_path / "there.cool")
    with h5py.File(path, "w") as file:
        with h5py.File(tmp_path / "there.cool") as other:
            file.attrs.update(other.attrs)
            for group in ("chroms", "bins", "indexes"):
                other.copy(group, file)
        file["pixels"] = h5py.ExternalLink("there.cool", "/pixels")
    with pytest.raises(DataError, match=r"in another file: copy it into one"):
        read_map(path, balance="none")


def test_contacts_are_read_when_asked_for(write):
    path, counts = write.cool()
    contacts = read_map(path, balance="none")
    again = pickle.loads(pickle.dumps(contacts))
    np.testing.assert_array_equal(again.square("chr2", balanced=False), counts[20:30, 20:30])
    kept = contacts.pixels["chr1"]
    path.unlink()
    assert contacts.pixels["chr1"] is kept
    with pytest.raises(DataError, match="does not exist"):
        contacts.square("chr2", balanced=False)


@pytest.mark.parametrize("values", ["oe", "log_oe"])
def test_dense_map_through_cool(tmp_path, values):
    sizes = {"chrI": 950, "chrII": 430}
    rng = np.random.default_rng(3)
    dense = {}
    for contig, n in (("chrI", 10), ("chrII", 5)):
        square = np.triu(rng.normal(0, 1, (n, n)) if values == "log_oe" else rng.gamma(2, 1, (n, n)))
        dense[contig] = square + np.triu(square, 1).T
    dense["chrI"][2] = dense["chrI"][:, 2] = np.nan
    np.fill_diagonal(dense["chrII"], np.nan)
    dense["chrII"][0, 2] = dense["chrII"][2, 0] = 0.0
    path = tmp_path / "predicted.cool"
    n = write_cool(path, dense, sizes, 100, values=values, assembly="toy", metadata={"model": "m1"})
    assert n == 45 + 10
    assert [p.name for p in tmp_path.iterdir()] == ["predicted.cool"]
    theirs = cooler.Cooler(str(path))
    assert theirs.info["genome-assembly"] == "toy"
    about = theirs.info["metadata"]["zoo"]
    assert (about["values"], about["model"]) == (values, "m1")
    for contig, square in dense.items():
        np.testing.assert_allclose(theirs.matrix(balance=False).fetch(contig), np.nan_to_num(square))
        np.testing.assert_allclose(hictkpy.File(path).fetch(contig, count_type=float).to_numpy(), np.nan_to_num(square))
    known = theirs.matrix(balance=True).fetch("chrI")
    np.testing.assert_allclose(known, dense["chrI"])
    if values == "oe":
        np.testing.assert_allclose(read_map(path).square("chrI"), dense["chrI"], rtol=1e-6)
    else:
        with pytest.raises(DataError, match="give the map of raw counts"):
            read_map(path).square("chrI")


def test_map_of_counts_through_cool(write, tmp_path):
    path, _ = write.cool(weights={"weight": WEIGHTS})
    contacts = read_map(path)
    write_cool(tmp_path / "copy.cool", contacts)
    again = read_map(tmp_path / "copy.cool")
    for contig in BINS:
        np.testing.assert_allclose(again.square(contig), contacts.square(contig))


def test_what_cannot_be_written(tmp_path):
    dense = {"c": np.ones((3, 3))}
    for options, message in (
        ({"path": "x.hic"}, "does not end with .cool"),
        ({"values": "odd"}, "must be one of counts, balanced, oe, log_oe"),
        ({"sizes": {"c": 500}}, "500 bp have 5 of 100 bp: make them agree"),
        ({"sizes": None}, "give both"),
        ({"contacts": {}}, "at least one"),
        ({"contacts": {"c": np.full((3, 3), np.inf)}}, "clip it, or set them to NaN"),
        ({"contacts": ContactMap.from_dense(dense, 100)}, "leave them out"),
    ):
        given = {"path": "x.cool", "contacts": dense, "sizes": {"c": 300}, "resolution": 100, "values": "oe"} | options
        with pytest.raises((ConfigError, DataError), match=message):
            write_cool(tmp_path / given.pop("path"), given.pop("contacts"), **given)
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def real():
    """Folder of real data with hic and sacCer3."""
    folder = Path(os.environ.get("ZOO_DATA", ""))
    if not os.environ.get("ZOO_DATA") or not (folder / "hic/yeast.10kb.cool").exists():
        pytest.skip("ZOO_DATA names no folder with hic/yeast.10kb.cool")
    return folder


@pytest.fixture(scope="module")
def yeast(real):
    """hic/yeast.10kb.cool (2016, so read by cooler) with the names of sacCer3."""
    return read_map(real / "hic/yeast.10kb.cool", fasta=real / "sacCer3/sacCer3.fa.gz")


@pytest.fixture(scope="module")
def w303(real):
    """Path of the map of another laboratory, of another strain, at 2 kb."""
    return real / "hic/scer_w303_g1_2kb_SRR8769554.cool"


@pytest.mark.data
def test_yeast_matches_with_notes(yeast, w303, real):
    assert len(yeast.contigs) == 17
    assert yeast.contigs[:3] == ("chrM", "chrI", "chrII")
    assert yeast.origin["reader"].startswith("cooler")
    notes = " | ".join(yeast.notes)
    assert "lengths of 15 contigs differ from sacCer3 by less than 0.1%" in notes
    assert "does not have chr2-micron" in notes
    with pytest.raises(GenomeMismatch, match=r"4 of 17 contigs differ.*another assembly.*--allow-other-assembly"):
        read_map(w303, fasta=real / "sacCer3/sacCer3.fa.gz")


@pytest.mark.data
def test_distance_alone_explains_raw_contacts_of_yeast(yeast):
    from zoo_hic.expected import expand_expected, pool_expected

    squares = [yeast.square(c) for c in yeast.contigs if c != "chrM"]
    alone = [expand_expected(pool_expected([s]), len(s)) for s in squares]
    raw, distance = (np.concatenate([m[np.triu_indices(len(m), 2)] for m in maps]) for maps in (squares, alone))
    known = raw > 0
    assert np.corrcoef(raw[known], distance[known])[0, 1] == pytest.approx(0.962, abs=0.002)
    assert np.corrcoef(np.log(raw[known]), np.log(distance[known]))[0, 1] == pytest.approx(0.936, abs=0.002)


@pytest.mark.data
def test_two_laboratories_agree_beyond_distance(yeast, w303, tmp_path):
    """Pearson of log(O/E) at 10 kb, 20 to 300 kb: balancing again at 10 kb agrees better than summing balanced 2 kb."""
    sizes = dict(yeast.sizes)
    summed = read_map(w303, resolution=10_000, fasta=sizes, allow_other_assembly=True)
    assert _agreement(yeast, summed) == pytest.approx(0.465, abs=0.01)
    again = str(tmp_path / "w303.10kb.cool")
    cooler.coarsen_cooler(str(w303), again, 5, chunksize=10_000_000)
    cooler.balance_cooler(cooler.Cooler(again), store=True)
    balanced = read_map(again, fasta=sizes, allow_other_assembly=True)
    assert _agreement(yeast, balanced) == pytest.approx(0.531, abs=0.01)


def _agreement(first: ContactMap, second: ContactMap) -> float:
    from zoo_hic.preprocess import Preprocess

    contigs = [c for c in first.contigs if c != "chrM"]
    steps = Preprocess(pseudocount=0.0, clip=None, expected_pairs=0, last_diagonal=30)
    here, there = steps.of_map(first, contigs), steps.of_map(second, contigs)
    pairs = []
    for contig in contigs:
        assert abs(len(here[contig]) - len(there[contig])) <= 1
        upper = np.triu_indices(min(len(here[contig]), len(there[contig])), 2)
        pairs.append(np.stack([here[contig][upper], there[contig][upper]]))
    found = np.concatenate(pairs, 1)
    return np.corrcoef(found[:, np.isfinite(found).all(0)])[0, 1]


def test_the_library_that_reads_maps_rests_between_calls():
    """hictkpy 1.4.0 (not 1.3.0) starts a thread that polls without a pause: half the work of a small machine."""
    program = "import time, hictkpy; start = time.process_time(); time.sleep(1); print(time.process_time() - start)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 0.2


def test_a_file_that_the_library_does_not_come_back_from_is_refused(write, monkeypatch):
    """As some damaged files keep libhdf5 busy for ever: here the program that looks first only sleeps."""
    path, _ = write.cool()
    monkeypatch.setattr(hdf5_probe, "_PROGRAM", "import time; time.sleep(60)")
    monkeypatch.setattr(hdf5_probe, "SECONDS", 0.5)
    with pytest.raises(DataError, match="does not come back from it in"):
        read_map(path, balance="none")


def test_what_looks_first_reads_every_attribute(write):
    path, _ = write.cool(weights={"weight": WEIGHTS})
    program = hdf5_probe._PROGRAM.replace("dict(item.attrs)", "print(item.name)")
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert {"/", "/bins/start", "/bins/weight"} <= set(done.stdout.split())
