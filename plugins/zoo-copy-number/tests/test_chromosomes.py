"""Which contigs are X, Y and no chromosomes, whatever they are called, and where the pseudoautosomal regions lie."""

import numpy as np
import pytest

from zoo.errors import ConfigError
from zoo_copy_number.bins import Bins
from zoo_copy_number.chromosomes import find_karyotype
from zoo_copy_number.pseudoautosomal import ASSEMBLIES, find_assemblies, measure_overlap
from zoo_copy_number.sex import check_sex, count_male, expect_copies, infer_sex

ROMAN = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV", "XVI"]
AUTOSOMES = [str(i) for i in range(1, 23)]


def roles(*contigs):
    return dict(zip(contigs, find_karyotype(contigs).roles, strict=True))


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ("X", "Y"),
        ("chrX", "chrY"),
        ("x", "y"),
        ("CHRX", "CHRY"),
        ("chrom_X", "chrom_Y"),
        ("Chromosome X", "Chromosome Y"),
        ("NC_000023.9", "NC_000024.8"),
        ("NC_000023.10", "NC_000024.9"),
        ("NC_000023.11", "NC_000024.10"),
        ("gi|568815575|ref|NC_000023.11|", "gi|568815574|ref|NC_000024.10|"),
        ("NC_060947.1", "NC_060948.1"),
        ("CM000685.2", "CM000686.2"),
        ("CP068255.2", "CP086569.2"),
        ("NC_000086.8", "NC_000087.8"),
        ("CM001013.3", "CM001014.3"),
        ("NC_051356.1", "NC_051357.1"),
        ("23", "24"),
        ("chr23", "chr24"),
    ],
)
def test_x_and_y_are_known_by_all_their_names(x, y):
    others = ["NC_000001.11", "NC_000002.12"] if x.startswith(("NC_", "CM", "CP", "gi")) else ["chr1", "chr2"]
    assert list(roles(*others, x, y).values()) == ["autosome", "autosome", "X", "Y"]


def test_in_a_genome_that_counts_in_roman_numerals_x_is_ten():
    assert set(roles(*(f"chr{r}" for r in ROMAN)).values()) == {"autosome"}
    assert roles("chrI", "chrII", "chrIX", "chrX")["chrX"] == "autosome"
    assert roles("chrX", "chrXI")["chrX"] == "autosome"
    assert roles("I", "II", "III", "IV", "V", "X", "MtDNA")["X"] == "X", "the worm"
    assert roles("2L", "2R", "3L", "3R", "4", "X", "Y")["X"] == "X", "the fly"


def test_numbers_beyond_24_are_chromosomes_of_fish_and_cattle():
    for last in (25, 29, 38):
        assert set(roles(*map(str, range(1, last + 1))).values()) == {"autosome"}
    plink = roles(*map(str, range(1, 27)))
    assert (plink["23"], plink["24"], plink["26"]) == ("X", "Y", "other")
    assert roles(*map(str, range(1, 25)), "X")["23"] == "autosome", "X is there by its own name"


@pytest.mark.parametrize(
    "name",
    "chrM MT mito NC_012920.1 hs37d5 chrEBV NC_007605 chrUn_GL000220v1 chr1_KI270706v1_random chr6_GL000250v2_alt"
    " KI270728.1 GL000191.1 HLA-A*01:01:01:01 chrUn_JTFH01000001v1_decoy phiX174 chr4_ctg9_hap1 NW_00387.3 Pt".split(),
)
def test_decoys_and_organelles_are_no_chromosomes(name):
    assert roles("chr1", "chr2", "chrX", name)[name] == "other"
    assert roles("NC_000001.11", "NC_000002.12", name)[name] == "other"


def test_a_genome_of_scaffolds_is_all_there_is():
    assert roles("scaffold_1", "scaffold_2", "NW_01.1", "MT") == {
        "scaffold_1": "autosome", "scaffold_2": "autosome", "NW_01.1": "autosome", "MT": "other",
    }  # fmt: skip
    assert find_karyotype(["NC_099999.1", "NC_099998.1"]).unreadable


def test_a_sex_that_cannot_be_used_is_refused():
    with pytest.raises(ConfigError, match="Roman numerals, whose chrX is the tenth chromosome: leave --sex out"):
        check_sex(ROMAN, "male")
    with pytest.raises(ConfigError, match=r"NC_099998\.1, NC_099999\.1 do not say which contigs are X and Y"):
        check_sex(["NC_099998.1", "NC_099999.1"], "female")
    for contigs in (["chr1", "chr2"], ["chr1", "chrX"], ["1", "23"]):
        check_sex(contigs, "male")
    check_sex(ROMAN, None)


def test_copies_of_x_and_y_follow_the_ploidy():
    contigs = ["chr1", "chrX", "chrY", "chrM"]
    assert [count_male(p) for p in (2, 3, 4, 6)] == [(1, 1), (2, 1), (2, 2), (3, 3)]
    assert expect_copies(contigs, "male", 4).tolist() == [4, 2, 2, 4]
    assert expect_copies(contigs, "female", 3).tolist() == [3, 3, 0, 3]
    assert expect_copies(["chrI", "chrVI", "chrX"], "male", 2).tolist() == [2, 2, 2]


def levels(x, y, names):
    contigs, contig = [*AUTOSOMES[:2], *names], np.repeat([0, 1, 2, 3], 30)
    return infer_sex(np.repeat([0.0, 0.0, x, y], 30), contigs, contig)


def test_23_and_24_are_x_and_y_where_the_depth_agrees():
    assert levels(-1, -1, ("23", "24"))[0] == "male"
    assert levels(0, -5, ("23", "24"))[0] == "female"
    for x, y in ((0, 0), (0, -1), (-0.5, -0.5), (0.6, -5)):
        sex, why = levels(x, y, ("23", "24"))
        assert sex is None
        assert why.startswith("23 and 24 are not X and Y")


def test_x_in_a_triploid_lies_higher():
    contig = np.repeat([0, 1, 2], 30)
    x, y = np.log2([2 / 3, 1 / 3])
    assert infer_sex(np.repeat([0, x, y], 30), ["1", "X", "Y"], contig, 3)[0] == "male"
    assert infer_sex(np.repeat([0, 0, -5.0], 30), ["1", "X", "Y"], contig, 3)[0] == "female"


def bins_of(name, width, *, lengths, last=None):
    """X and Y of an assembly in bins of `width`; `last`: bins of X up to there alone."""
    assembly = next(a for a in ASSEMBLIES if a.name == name)
    rows = [(i, s) for i, r in enumerate("XY") for s in range(0, assembly.size[r], width)]
    contig, start = np.array([r[0] for r in rows], np.int32), np.array([r[1] for r in rows], np.int64)
    end = np.minimum(start + width, np.array([assembly.size["X"], assembly.size["Y"]])[contig])
    end = end if lengths else start + width
    kept = np.ones(len(start), bool) if last is None else end < last
    nothing = np.full(kept.sum(), np.nan, np.float32)
    sizes = {f"chr{r}": n for r, n in assembly.size.items()} if lengths else {}
    place = (contig[kept], start[kept], end[kept], np.ones(kept.sum(), np.float32))
    return Bins(["chrX", "chrY"], *place, nothing, nothing, np.ones(kept.sum(), bool), sizes=sizes), assembly


@pytest.mark.parametrize("name", [a.name for a in ASSEMBLIES])
@pytest.mark.parametrize("lengths", [True, False])
def test_the_lengths_of_x_and_y_tell_the_assembly(name, lengths):
    bins, assembly = bins_of(name, 50_000, lengths=lengths)
    karyotype = find_karyotype(bins.contigs)
    assert [a.name for a in find_assemblies(bins, karyotype)] == [name]
    inside, border = measure_overlap(bins, karyotype, [assembly])
    for code, role in enumerate("XY"):
        size = sum(end - start for start, end in assembly.regions[role])
        here = inside & (bins.contig == code)
        assert size - 4 * 50_000 < bins.width[here].sum() <= size
        assert (border & (bins.contig == code)).sum() <= 4


def test_targets_leave_assemblies_open_and_what_they_disagree_on_unclear():
    bins, _ = bins_of("GRCh38", 100_000, lengths=False, last=155_000_000)
    karyotype = find_karyotype(bins.contigs)
    possible = find_assemblies(bins, karyotype)
    assert {a.name for a in possible} == {"GRCh37", "GRCh38"}
    inside, border = measure_overlap(bins, karyotype, possible)
    assert bins.end[inside & (bins.contig == 0)].max() <= 2_699_520
    assert border[(bins.contig == 0) & (bins.start == 2_700_000)].all()


def test_another_genome_has_no_regions():
    bins, _ = bins_of("GRCh38", 100_000, lengths=False, last=10_000_000)
    assert find_assemblies(bins, find_karyotype(bins.contigs)) == []
