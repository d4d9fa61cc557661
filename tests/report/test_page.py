"""The file: every text escaped and bounded, nothing fetched, and readable without its pictures."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.pictures.canvas import blank
from zoo.report.chapters import Chapter
from zoo.report.page import render
from zoo.report.parts import LONGEST_CELL, LONGEST_TEXT, MOST_ROWS, prepare
from zoo.report.section import Picture, Section, Table, Text
from zoo.report.summary import KeyFact, Summary

VOID = {"meta", "img", "br", "hr", "link"}


class Page(HTMLParser):
    """Tags with their attributes, texts, and whether every tag is closed in turn."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.open, self.words = [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def of(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def figure(width=3.0):
    drawn = blank(width, 1)
    drawn.add_subplot().plot([0, 1])
    return drawn


def page(*parts, title="A section", facts=(), **more):
    made = render(
        Summary(more.pop("name", "model"), more.pop("description", "It predicts."), "CTCF", list(facts)),
        [Chapter("one", title, prepare(Section(title, parts)))],
        made=datetime(2026, 1, 2, tzinfo=UTC),
        **more,
    )
    return made, Page(made)


def test_a_page_is_whole_html_with_a_title_a_language_and_a_way_to_its_sections():
    html, seen = page(Text("Words."), Text("Well done.", "good"), facts=[KeyFact("Good?", "yes", "Very.", "good")])
    assert html.startswith("<!DOCTYPE html>")
    assert seen.open == []
    assert seen.of("html") == [{"lang": "en"}]
    assert "model: model report" in html
    assert [a["href"] for a in seen.of("a")] == [f"#{s['id']}" for s in seen.of("section")]
    assert "Good? ✓ good: yes Very." in seen.text
    assert "✓ good: Well done." in seen.text
    assert re.search(r"Made by zoo \S+ on 2026-01-02 00:00 UTC", seen.text)


def test_nothing_is_fetched_and_nothing_runs():
    html, seen = page(Picture(figure(), "a line", "It rises."), Table(["a"], [[Picture(figure(0.5), "small")]]))
    assert not {"script", "link", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in seen.tags}
    assert all(image["src"].startswith("data:image/png;base64,") for image in seen.of("img"))
    assert "url(" not in html
    assert "@import" not in html
    assert "http" not in re.sub(r"http-equiv|base64,[^\"]*", "", html)
    policy = next(m["content"] for m in seen.of("meta") if "http-equiv" in m)
    assert policy.startswith("default-src 'none'")


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{ 7*7 }}{% raw %}"


def test_a_strangers_text_stays_text_wherever_it_stands():
    parts = [
        Text(HOSTILE, HOSTILE),
        Table([HOSTILE], [[HOSTILE], [3]], HOSTILE),
        Table(["", ""], [[HOSTILE, HOSTILE]]),
        Picture(figure(), HOSTILE, HOSTILE),
    ]
    html, seen = page(
        *parts,
        title=HOSTILE,
        name=HOSTILE,
        description=HOSTILE,
        facts=[KeyFact(HOSTILE, HOSTILE, HOSTILE, HOSTILE)],
        notes=[HOSTILE],
        command=HOSTILE,
    )
    assert "<script" not in html
    assert [image["alt"] for image in seen.of("img")] == [HOSTILE]
    assert not any(name.startswith("on") for _, attrs in seen.tags for name in attrs)
    assert seen.text.count("{{ 7*7 }}") >= 12
    assert seen.open == []


@given(st.text(), st.text())
def test_any_text_leaves_the_page_whole(text, name):
    _, seen = page(Text(text), Table([name], [[text]]), title=text, name=name)
    assert seen.open == []
    assert {tag for tag, _ in seen.tags} <= {
        *("html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "p", "code", "ul", "li", "nav"),
        *("ol", "a", "main", "section", "figure", "div", "table", "thead", "tbody", "tr", "th", "td", "figcaption"),
        *("footer", "span"),
    }


def test_huge_texts_and_tables_are_cut_and_say_so():
    long = "x" * 10**6
    rows = [[long, i] for i in range(5_000)]
    html, seen = page(Text("y" * 10**7), Table(["a", "n"], rows, "z" * 10**6), name="n" * 10**6)
    assert len(html) < 300 * (LONGEST_CELL + 100) + 5 * LONGEST_TEXT
    assert max(map(len, seen.words)) <= LONGEST_TEXT + 100
    assert len(seen.of("tr")) == MOST_ROWS + 1
    assert "4,700 more rows are not shown" in seen.text


def test_numbers_of_a_table_are_rounded_and_aligned_and_gaps_are_seen():
    _, seen = page(Table(["name", "n", "x"], [["a", 12_345, 0.123456], ["b", None, float("nan")]]))
    assert "a 12,345 0.1235 b - -" in seen.text
    assert [("number" in (td["class"] or "")) for td in seen.of("td")] == [False, True, True] * 2
    assert [th.get("class") for th in seen.of("th")] == [None, "number", "number"]


def test_every_picture_says_in_words_what_it_shows_and_a_wide_one_scrolls():
    _, seen = page(Picture(figure(12), "twelve inches"), Picture(figure(), "first"), Picture(figure(), "second"))
    assert [image["alt"] for image in seen.of("img")] == ["twelve inches", "first", "second"]
    assert [image["width"] for image in seen.of("img")] == ["1152", "288", "288"]
    assert [f.get("class") for f in seen.of("figure")] == ["wide", None, None]
    assert [d["class"] for d in seen.of("div")] == ["pictures", "scroll", "pictures", "", ""]


@pytest.mark.parametrize("names", [["a b", "a-b", "A B"], ["é", "ü"]])
def test_sections_of_like_names_have_places_of_their_own(names):
    chapters = [Chapter(name, name, []) for name in names]
    seen = Page(render(Summary("m", "d", "o", []), chapters))
    places = [s["id"] for s in seen.of("section")]
    assert len(set(places)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9-]+", place) for place in places)
