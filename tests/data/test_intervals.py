"""Interval files: read strictly, by their columns; every complaint names file, line and column."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zoo.data.intervals import read_intervals
from zoo.errors import ConfigError, DataError


def put(folder: Path, text: str | bytes, name: str = "x.bed") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


ROWS = {
    "BED3": "chr1\t10\t20",
    "BED4": "chr1\t10\t20\tpeak",
    "BED5": "chr1\t10\t20\tpeak\t7.5",
    "BED6": "chr1\t10\t20\tpeak\t7.5\t-",
    "BED8": "chr1\t10\t20\tpeak\t7.5\t-\t12\t18",
    "BED9": "chr1\t10\t20\tpeak\t7.5\t-\t12\t18\t255,0,0",
    "BED12": "chr1\t10\t20\tpeak\t7.5\t-\t12\t18\t0\t2\t3,4,\t0,6,",
    "broadPeak": "chr1\t10\t20\tpeak\t7.5\t-\t13.7\t15.3\t-1",
    "narrowPeak": "chr1\t10\t20\tpeak\t7.5\t-\t13.7\t15.3\t-1\t4",
}


@pytest.mark.parametrize("kind", ROWS)
def test_a_file_is_read_by_its_columns(tmp_path, kind):
    found = read_intervals(put(tmp_path, f"track name=x\nbrowser hide all\n# said\n\n{ROWS[kind]}\n"))
    assert (found.format, len(found), found.notes) == (kind, 1, [])
    assert (found.chrom[0], found.start[0], found.end[0], found.line[0]) == ("chr1", 10, 20, 5)
    assert found.raw == [ROWS[kind].split("\t")]
    n = len(found.raw[0])
    assert found.name[0] == ("peak" if n > 3 else ".")
    assert found.score[0] == 7.5 if n > 4 else math.isnan(found.score[0])
    assert found.strand[0] == ("-" if n > 5 else ".")
    assert found.signal_value[0] == 13.7 if kind.endswith("Peak") else math.isnan(found.signal_value[0])
    assert found.centers()[0] == (14 if kind == "narrowPeak" else 15)
    assert found.centers(summits=False)[0] == 15


def test_a_name_that_lies_is_noted(tmp_path):
    found = read_intervals(put(tmp_path, ROWS["BED6"] + "\n", "x.narrowPeak"))
    assert found.format == "BED6"
    assert found.notes == ["x.narrowPeak is called narrowPeak but its 6 columns are read as BED6"]
    assert read_intervals(put(tmp_path, ROWS["narrowPeak"] + "\n", "y.bed")).format == "narrowPeak"


def test_crlf_spaces_gzip_and_no_last_newline(tmp_path):
    plain = put(tmp_path, "chr1 10 20\r\nchr2\t5\t6")
    found = read_intervals(plain)
    assert list(found.chrom) == ["chr1", "chr2"]
    assert found.notes == ["line 1 is separated by spaces, not tabs"]
    packed = read_intervals(put(tmp_path, gzip.compress(plain.read_bytes()), "packed.bed"))
    assert packed.start.tolist() == found.start.tolist()


def peaks(folder: Path, first: str, n: int = 5, other: str = "narrowPeak", name: str = "x.bed"):
    return read_intervals(put(folder, "\n".join([first, *[ROWS[other]] * n]) + "\n", name), on_error="skip")


def test_the_layout_is_that_of_most_rows(tmp_path):
    near_zero = "chr1\t0\t300\tpeak\t7\t.\t5\t20\t3\t150"  # reads as thickStart and thickEnd too
    found = peaks(tmp_path, near_zero)
    assert (found.format, found.ok.all(), found.centers()[0]) == ("narrowPeak", True, 150)
    coloured = "chr1\t10\t20\tpeak\t7.5\t-\t0\t0\t0"  # no thick part, and black
    assert peaks(tmp_path, coloured, other="BED9").format == "BED9"
    assert peaks(tmp_path, ROWS["broadPeak"], other="BED9").format == "BED9"
    assert peaks(tmp_path, ROWS["BED9"], other="broadPeak").format == "broadPeak"
    assert peaks(tmp_path, ROWS["BED9"], 1, "broadPeak", "x.broadPeak").format == "broadPeak"
    found = peaks(tmp_path, ROWS["BED3"])
    assert (found.format, found.ok.tolist()) == ("narrowPeak", [False, *[True] * 5])
    assert found.status[0] == "3 columns, most rows have 10: make them alike"
    assert peaks(tmp_path, ROWS["narrowPeak"], other="BED6").status[0].startswith("10 columns, most rows have 6")


def test_the_line_that_breaks_the_layout_is_named(tmp_path):
    text = f"{ROWS['BED6']}\n" * 50 + f"{ROWS['BED4']}\n" + f"{ROWS['BED6']}\n" * 50
    with pytest.raises(DataError, match=r"x.bed line 51: 4 columns, most rows have 6"):
        read_intervals(put(tmp_path, text))
    with pytest.raises(DataError, match=r"x.bed line 1: 4 columns, most rows have 6"):
        read_intervals(put(tmp_path, f"{ROWS['BED4']}\n" + f"{ROWS['BED6']}\n" * 50))
    numbers = f"{ROWS['narrowPeak']}\n" * 9 + ROWS["narrowPeak"].replace("15.3", "high") + "\n"
    with pytest.raises(DataError, match=r"line 10: column 8 \(pValue\) 'high' is no number"):
        read_intervals(put(tmp_path, numbers))


def test_an_interval_list_counts_from_1_and_gives_rows_of_bed(tmp_path):
    text = "@HD\tVN:1.6\n@SQ\tSN:chr1\tLN:99\nchr1\t11\t20\t-\tname\nchr1\t0\t5\t+\tx\nchr1\t1\n"
    found = read_intervals(put(tmp_path, text), on_error="skip")
    assert (found.format, found.start[0], found.end[0], found.strand[0], found.name[0]) == ("BED6", 10, 20, "-", "name")
    assert found.raw[0] == ["chr1", "10", "20", "name", ".", "-"]
    assert list(found.status[1:]) == [
        "column 2 (start) is 0: an interval list counts from 1",
        "2 column(s), an interval list has chrom, start, end, strand and name: complete it",
    ]
    assert found.notes == ["x.bed is read as an interval list of Picard: its positions count from 1"]
    found = read_intervals(put(tmp_path, "chr1:11-20\n1:1,001\nchr1:x\n"), on_error="skip")
    assert (found.start.tolist(), found.end.tolist(), found.format) == ([10, 1000, -1], [20, 1001, -1], "BED3")


BAD = {
    "start after end": ("chr1\t500\t120", "line 2: start 500 is after end 120: swap them or drop the line"),
    "negative": ("chr1\t-5\t120", r"line 2: column 2 \(start\) -5 is negative"),
    "scientific": ("chr1\t100\t1e+05", r"line 2: column 3 \(end\) '1e\+05' is no plain whole number: write 100000"),
    "fraction": ("chr1\t100\t200.5", r"column 3 \(end\) '200.5' is no whole number"),
    "thousands": ("chr1\t100\t1,000", r"column 3 \(end\) '1,000' is no whole number"),
    "underscore": ("chr1\t100\t1_000", r"column 3 \(end\) '1_000' is no plain whole number: write 1000"),
    "huge": ("chr1\t1\t99999999999999999999", r"column 3 \(end\) 99999999999999999999 is longer than any contig"),
    "infinite": ("chr1\t1\tinf", r"column 3 \(end\) 'inf' is no whole number"),
    "two columns": ("chr1\t100", "line 2: 2 column"),
    "four columns": ("chr1\t100\t200\tx", "line 2: 4 columns, most rows have 3"),
    "no contig": ("\t100\t200", r"column 1 \(chrom\) is empty"),
    "arabic digits": ("chr1\t\u0661\t200", "column 2 .start. '\u0661' is no plain whole number: write 1"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_line_is_named_and_can_be_skipped(tmp_path, case):
    row, message = BAD[case]
    path = put(tmp_path, f"chr1\t1\t2\n{row}\nchr1\t3\t4\n")
    with pytest.raises(DataError, match=message) as error:
        read_intervals(path)
    assert str(error.value).startswith(str(path))
    found = read_intervals(path, on_error="skip")
    assert found.ok.tolist() == [True, False, True]
    assert found.raw[1] == [c.strip() for c in row.split("\t")]
    assert found.select(found.ok).start.tolist() == [1, 3]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("chr1\t1\t9\tn\tx\t+", r"column 5 \(score\) 'x' is no number"),
        ("chr1\t1\t9\tn\t1\tplus", r"column 6 \(strand\) 'plus' must be"),
        ("chr1\t1\t9\tn\t1\t+\t1\t2\t3\t8", r"column 10 \(peak\) 8 lies past the end of an interval of 8 bp"),
        ("chr1\t1\t9\tn\t1\t+\t1\t2\t0\t2\t3,x\t0,4", r"column 11 \(blockSizes\)"),
        ("chr1\t1\t9\tn\t1\t+\t1\t2\t0\t2\t3,4\t0,6", "past the end 9"),
    ],
)
def test_further_columns_are_checked(tmp_path, row, message):
    name = "x.narrowPeak" if row.count("\t") == 9 else "x.bed"
    with pytest.raises(DataError, match=message):
        read_intervals(put(tmp_path, row + "\n", name))


def test_own_columns_are_kept_when_it_is_said_how_many_are_bed(tmp_path):
    path = put(tmp_path, "chr1\t1\t9\tn\tweird\tplus\n")
    found = read_intervals(path, columns=3)
    assert (found.format, found.raw[0][5]) == ("BED3", "plus")
    assert "columns 4 to 6" in found.notes[0]
    with pytest.raises(ConfigError, match="3 to 12"):
        read_intervals(path, columns=2)
    with pytest.raises(ConfigError, match="must be raise or skip"):
        read_intervals(path, on_error="ignore")


def test_a_header_line_without_a_hash_says_what_to_do(tmp_path):
    with pytest.raises(DataError, match="begin a header line with #"):
        read_intervals(put(tmp_path, "chrom\tstart\tend\nchr1\t1\t2\n"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no interval"),
        (b"# only\n\ntrack x\n", "holds no interval"),
        (b"\x89\x00\x01\x02\n", "zero byte"),
        (b"chr1\t1\t2\t\xff\xfe\n", "no UTF-8"),
        ("chr1\t1\t2\n".encode("utf-16"), "UTF-8|zero byte"),
        (b"\xeb\xf2\x89\x87rest", "a bigBed file"),
        (gzip.compress(b"chr1\t1\t2\n" * 9000, mtime=0)[:-40], "ends in the middle of its gzip stream"),
        (b"\x1f\x8b\x08\x00garbagegarbagegarbage", "damaged|ends in the middle"),
        (b"chr1\t1\t2\rchr1\t3\t4\r", "carriage return"),
    ],
)
def test_what_is_no_interval_file_is_one_clear_error(tmp_path, content, message):
    for on_error in ("raise", "skip"):
        with pytest.raises(DataError, match=message):
            read_intervals(put(tmp_path, content), on_error)


letters = st.characters(codec="utf-8", categories=("L", "N", "P", "S"), exclude_characters="#")
words = st.text(letters, min_size=1, max_size=12).filter(lambda word: word not in ("track", "browser"))
intervals = st.tuples(words, st.integers(0, 10**9), st.integers(0, 10**5), words, st.sampled_from("+-."))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(intervals, min_size=1, max_size=20), end=st.sampled_from(["\n", "\r\n"]))
def test_what_is_written_is_read(tmp_path, rows, end):
    text = end.join(f"{c}\t{s}\t{s + n}\t{name}\t0\t{strand}" for c, s, n, name, strand in rows)
    found = read_intervals(put(tmp_path, text))
    assert list(found.chrom) == [r[0] for r in rows]
    assert found.start.tolist() == [r[1] for r in rows]
    assert found.width.tolist() == [r[2] for r in rows]
    assert list(found.name) == [r[3] for r in rows]
    assert list(found.strand) == [r[4] for r in rows]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.one_of(st.binary(max_size=300), st.text("chr01\t \n\r-.+eE,#9", max_size=200).map(str.encode)))
def test_any_bytes_give_sound_rows_or_a_data_error(tmp_path, content):
    path = put(tmp_path, content)
    try:
        found = read_intervals(path, on_error="skip")
    except DataError:
        return
    ok = found.ok
    assert (found.start[ok] >= 0).all()
    assert (found.end[ok] >= found.start[ok]).all()
    assert (found.start[~ok] == -1).all()
    if ok.all():
        assert np.array_equal(read_intervals(path).start, found.start)
    else:
        with pytest.raises(DataError, match=r" line \d+: "):
            read_intervals(path)
