"""The page of a report as a file: it needs no other, and its tables need no script."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from page_elements import Elements
from sample_pages import page, rows
from toponet._ground.reporting import Table
from toponet.pages import Column, Page, Row


def test_a_page_needs_no_other_file() -> None:
    text = page(3).html()
    for tag, attributes in Elements(text).found:
        assert tag not in ("link", "iframe", "object", "embed", "base"), tag
        for name in ("src", "href"):
            assert not attributes.get(name), (tag, attributes)
    style = text.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    assert "default-src 'none'" in text


def test_the_library_keeps_its_licence() -> None:
    assets = files("toponet.pages").joinpath("assets", "uplot")
    assert "MIT License" in assets.joinpath("LICENSE").read_text()
    assert "uPlot (v" in page(1).html()


def test_the_table_of_images_is_there_without_a_script() -> None:
    cells = Elements(page(3).html()).cells
    assert cells[:2] == [
        ["", "cut at 0.5", "by persistence"],
        ["image", "voi\N{NO-BREAK SPACE}↓", "ari\N{NO-BREAK SPACE}↑", "holes"],
    ]
    assert cells[2] == ["image 0", "0.0000", "1.000", "–"]
    assert cells[3] == ["image 1", "0.2500", "0.6667", "99"]


def test_columns_are_whatever_the_rows_hold() -> None:
    columns = [Column("new", "new metric", higher_is_better=True, meaning="of <b>cells</b>")]
    shown = Page(title="x", columns=columns, rows=[Row("a", {"new": 12.345, "other": 1})])
    elements = Elements(shown.html())
    assert elements.cells == [["image", "new metric\N{NO-BREAK SPACE}↑"], ["a", "12.35"]]
    titles = [attributes["title"] for _, attributes in elements.found if "title" in attributes]
    assert titles == ["", "of <b>cells</b>; higher is better"]


def test_numbers_have_four_digits_and_large_ones_all_of_theirs() -> None:
    values = [0.12345, -0.5, 1.0, 123.456, 2451.2, 98765.0, 7, 10000, float("nan"), None]
    columns = [Column("x", "x")]
    rows = [Row(str(k), {"x": value}) for k, value in enumerate(values)]
    shown = [line[1] for line in Elements(Page(title="x", columns=columns, rows=rows).html()).cells]
    expected = "0.1235 -0.5000 1.000 123.5 2451 98765 7 10000 – –"
    assert shown[1:] == expected.split()


def test_the_first_click_on_a_heading_shows_the_worst_images() -> None:
    """Of what is neither good nor bad, the largest numbers."""
    buttons = [attributes for tag, attributes in Elements(page(1).html()).found if tag == "button"]
    first = [button["data-first"] for button in buttons if "data-first" in button]
    assert first == ["ascending", "descending", "ascending", "descending"]


def test_tables_notes_and_meanings_are_text() -> None:
    odd = "a < b & 'c'"
    shown = Page(
        title=odd, summary=[odd], notes=[odd], meanings={odd: odd},
        tables=[Table(odd, ["metric", odd], [[odd, "0.5"]])],
    )  # fmt: skip
    text = shown.html()
    assert text.count("a &lt; b &amp; &#x27;c&#x27;") == 9
    assert Elements(text).cells[:2] == [["metric", odd], [odd, "0.5"]]


def test_numbers_that_json_does_not_know_are_null() -> None:
    charts = Elements(page(1).html()).json["page-data"]["charts"]
    assert charts[0]["curves"][0]["values"] == [0.5, 0.4, 0.3, None]


def test_a_picture_is_an_element_of_its_own() -> None:
    """It is parsed when its image is looked at."""
    shown = rows(2)
    data = Elements(Page(title="x", rows=[*shown, Row("none", {})]).html()).json
    assert set(data) == {"page-data", "picture-0", "picture-1"}
    assert data["picture-1"] == shown[1].picture
    assert data["page-data"]["names"] == ["image 0", "image 1", "none"]


def test_an_end_of_script_in_a_name_ends_no_script() -> None:
    text = Page(title="x", rows=[Row("</script>", {})]).html()
    assert Elements(text).json["page-data"]["names"] == ["</script>"]
    assert not re.search(r'"</script>', text)


def test_the_file_is_the_page(tmp_path: Path) -> None:
    page(1).write(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == page(1).html()
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
