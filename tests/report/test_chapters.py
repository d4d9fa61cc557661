"""Sections in their order; what fails is said and costs nothing else."""

import pytest

from zoo.pictures.canvas import blank
from zoo.registry import registry
from zoo.report.chapters import ORDER, gather, section_names
from zoo.report.section import Picture, Section, Text
from zoo.report.writer import write_report


@pytest.fixture
def sections(monkeypatch):
    """sections(name=function, ...) are all that is registered."""

    def put(**functions):
        known = registry()
        monkeypatch.setattr(
            known, "components", {k: v for k, v in known.components.items() if k[0] != "section"}, raising=True
        )
        for name in functions:
            known.add("section", name, f"nowhere:{name}")
        get = type(known).get
        monkeypatch.setattr(
            type(known), "get", lambda self, kind, name: functions[name] if kind == "section" else get(self, kind, name)
        )

    return put


def test_the_core_registers_its_sections_and_order_begins_with_facts():
    assert {"facts", "performance", "attribution", "validation"} <= set(section_names())
    assert section_names()[0] == "facts"


def test_known_sections_come_in_the_order_of_the_report_and_others_after_them(sections):
    sections(**{name: lambda subject: None for name in ("zebra", "validation", "apple", "facts", "filters")})
    assert section_names() == ["facts", "filters", "validation", "apple", "zebra"]
    assert [n for n in ORDER if n in section_names()] == section_names()[:3]


def broken(subject):
    raise RuntimeError("the <b>disk</b> is full")


def test_a_section_that_fails_stands_in_the_report_and_the_rest_is_made(sections, plain, tmp_path):
    sections(
        facts=broken,
        filters=lambda subject: Section("Filters", [Text("All is well.")]),
        nothing=lambda subject: None,
        wrong=lambda subject: "<p>html</p>",
        odd=lambda subject: Section("Odd", ["text"]),
    )
    told = []
    chapters = write_report(plain(), tmp_path / "report.html", tell=told.append)
    assert [(c.name, bool(c.failure)) for c in chapters] == [
        *(("facts", True), ("filters", False)),
        *(("odd", True), ("wrong", True)),
    ]
    assert told[0] == "section facts failed: RuntimeError: the <b>disk</b> is full"
    html = (tmp_path / "report.html").read_text()
    assert "the &lt;b&gt;disk&lt;/b&gt; is full" in html
    assert "All is well." in html
    assert "not str" in html


def test_a_picture_that_cannot_be_drawn_fails_its_section_alone(sections, plain, tmp_path):
    figure = blank(2, 1)
    figure.suptitle(r"$\frac{$")
    sections(
        facts=lambda subject: Section("Facts", [Picture(figure, "a formula")]),
        filters=lambda subject: Section("Filters", [Text("All is well.")]),
    )
    chapters = write_report(plain(), tmp_path / "report.html")
    assert [bool(c.failure) for c in chapters] == [True, False]
    assert "All is well." in (tmp_path / "report.html").read_text()


def test_a_section_of_a_plugin_that_cannot_be_imported_is_a_failure_too(plain, monkeypatch):
    known = registry()
    kept = {k: v for k, v in known.components.items() if k[0] != "section"}
    monkeypatch.setattr(known, "components", kept)
    known.add("section", "gone", "no_such_package.report:section")
    (chapter,) = gather(plain())
    assert "cannot be imported" in chapter.failure


def test_a_report_is_written_whole_or_not_at_all(plain, sections, tmp_path, monkeypatch):
    sections(facts=lambda subject: Section("Facts", []))
    (tmp_path / "report.html").write_text("old")
    monkeypatch.setattr("zoo.report.writer.render", broken)
    with pytest.raises((RuntimeError, TypeError)):
        write_report(plain(), tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text() == "old"
    assert [f.name for f in tmp_path.iterdir()] == ["report.html"]
