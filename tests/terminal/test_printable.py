"""What reaches a terminal."""

from __future__ import annotations

import io
import sys

from hypothesis import given
from hypothesis import strategies as st

from zoo.terminal.printable import PrintableStream, clean_streams, printable, printable_lines, terminal_of

CONTROLS = [
    "\x1b",
    "\x00",
    "\x07",
    "\r",
    "\x7f",
    "\x9b",
    "\u202e",
    "\u2066",
    "\u200f",
    "\u2028",
    "\ud800",
    "\U000e0041",
]


@given(st.text(st.characters() | st.sampled_from(CONTROLS)))
def test_one_line_is_one_line_of_printed_characters(text):
    assert printable(text).isprintable()


@given(st.text(st.characters() | st.sampled_from([*CONTROLS, "\n", "\t"])))
def test_lines_stay_lines_of_printed_characters(text):
    clean = printable_lines(text)
    assert clean.replace("\n", "").replace("\t", "").isprintable()
    assert clean.count("\n") == text.count("\n")


@given(st.text(st.characters(categories=["L", "N", "P", "S"]) | st.sampled_from(" \n\t")))
def test_what_is_printed_stays(text):
    assert printable_lines(text) == text


def test_both_streams_are_clean_inside_and_the_same_outside(capsys):
    before = sys.stdout, sys.stderr
    with clean_streams():
        print("a\x1b[2Jb", "c\tü")
        print("\rd", file=sys.stderr)
        with clean_streams():
            sys.stdout.writelines(["e\x07", "\n"])
        assert terminal_of(sys.stderr) is before[1]
    assert (sys.stdout, sys.stderr) == before
    assert capsys.readouterr() == ("a?[2Jb c\tü\ne?\n", "?d\n")


def test_a_stream_that_a_command_put_in_place_stays(monkeypatch):
    other = io.StringIO()
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    with clean_streams():
        sys.stdout = other
    assert sys.stdout is other


def test_everything_but_writing_is_the_streams_own():
    stream = PrintableStream(io.StringIO())
    assert not stream.isatty()
    assert stream.write("\x1b") == 1
    assert stream.getvalue() == "?"
