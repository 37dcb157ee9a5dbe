"""The page of a report in a browser: it opens, sorts, switches, highlights; by mouse and by key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from chromium import OpenPage, chromium
from sample_pages import page, shown_image
from toponet.pages import Row
from toponet.pages import shown_image as shown_images

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Open = Callable[..., OpenPage]
ALL = ["image", "truth", "likelihood", "cut at 0.5", "by persistence"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a page; at the end nothing may have gone wrong on it."""
    pages: list[OpenPage] = []

    def open_page(count: int = 10, rows: list[Row] | None = None, **window: int) -> OpenPage:
        shown = page(count)
        replace(shown, rows=shown.rows if rows is None else rows).write(tmp_path / "report.html")
        pages.append(OpenPage(browser, tmp_path / "report.html", **window))
        return pages[-1]

    yield open_page
    for each in pages:
        each.page.close()
        assert each.problems == []
        assert all(url.startswith(("file:", "data:", "blob:")) for url in each.requests)


def panels(seen: OpenPage) -> list[str]:
    seen.page.wait_for_selector(".panel canvas")
    return [text.split(":")[0] for text in seen.page.locator(".panel figcaption").all_inner_texts()]


def check(seen: OpenPage, words: str) -> None:
    seen.page.get_by_label(words, exact=True).click()


@pytest.mark.parametrize("count", [10, 300])
def test_a_page_opens_with_all_its_images_and_without_an_error(opened: Open, count: int) -> None:
    seen = opened(count)
    assert panels(seen) == ALL
    assert seen.text("#image-name") == "image 0"
    assert len(seen.column("image")) == count
    assert len(set(seen.pictures())) == len(ALL)
    seen.page.locator("#image-table tbody button").last.click()
    assert seen.text("#image-name") == f"image {count - 1}"


def test_a_page_for_a_telephone_is_as_wide_as_its_window(opened: Open) -> None:
    seen = opened(width=420, height=800)
    assert panels(seen) == ALL
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 420


def test_a_heading_sorts_by_its_numbers_the_worst_images_first(opened: Open) -> None:
    seen = opened()
    for heading, worst_first in (("voi", True), ("ari", False), ("holes", True)):
        seen.sort_by(heading)
        numbers = [float(cell) for cell in seen.column(heading) if cell != "–"]
        assert numbers == sorted(numbers, reverse=worst_first)
        seen.sort_by(heading)
        assert [float(cell) for cell in seen.column(heading) if cell != "–"] == numbers[::-1]
        (order,) = seen.page.locator("[aria-sort=ascending], [aria-sort=descending]").all()
        assert order.get_attribute("aria-sort") == ("ascending" if worst_first else "descending")
        assert heading in order.inner_text()


def test_an_empty_cell_is_last_in_both_orders(opened: Open) -> None:
    seen = opened()
    for _ in range(2):
        seen.sort_by("holes")
        assert seen.column("holes")[-1] == "–"
        assert seen.column("image")[-1] == "image 0"


def test_names_are_sorted_as_people_count(opened: Open) -> None:
    seen = opened(12)
    seen.sort_by("voi")
    seen.sort_by("image")
    assert seen.column("image") == [f"image {k}" for k in range(12)]


def test_the_buttons_go_through_the_images_in_the_order_of_the_table(opened: Open) -> None:
    seen = opened()
    seen.sort_by("voi")
    order = seen.column("image")
    seen.page.locator("#image-table tbody button").first.click()
    assert seen.text("#image-name") == order[0]
    assert seen.page.locator("#previous").is_disabled()
    seen.page.locator("#next").click()
    assert seen.text("#image-name") == order[1]
    assert seen.text("[aria-current] th") == order[1]
    seen.page.locator("#previous").click()
    assert seen.text("#image-name") == order[0]


def test_the_table_is_used_by_key(opened: Open) -> None:
    seen = opened()
    seen.page.locator("#image-table thead button").nth(1).focus()
    seen.page.keyboard.press("Enter")
    order = seen.column("image")
    seen.page.locator("#image-table tbody button").first.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowUp"):
        seen.page.keyboard.press(key)
    assert seen.text("#image-name") == order[1]
    assert seen.page.evaluate("document.activeElement.innerText") == order[1]


def test_panels_are_switched(opened: Open) -> None:
    seen = opened()
    assert panels(seen) == ALL
    check(seen, "likelihood")
    assert panels(seen) == [title for title in ALL if title != "likelihood"]
    seen.page.locator("#next").click()
    assert panels(seen) == [title for title in ALL if title != "likelihood"]


def test_masks_are_dark_where_structure_is(opened: Open) -> None:
    """Pixel for pixel, of the panels as they are drawn."""
    seen = opened()
    panels(seen)
    check(seen, "mistakes")
    image = shown_image()
    masks = {"truth": image.truth, **image.masks}
    seen.wait_for_drawing()
    for title, mask in masks.items():
        assert mask is not None
        dark = seen.page.evaluate(
            """([panel, rows, columns]) => {
                const canvas = document.querySelectorAll(".panel canvas")[panel];
                const { width, height } = canvas;
                const bytes = canvas.getContext("2d").getImageData(0, 0, width, height).data;
                const scale = width / columns;
                const middle = (k) => Math.floor((k + 0.5) * scale);
                return Array.from({ length: rows * columns }, (_, k) => bytes[
                    4 * (middle(Math.floor(k / columns)) * width + middle(k % columns))
                ] < 128);
            }""",
            [ALL.index(title), *mask.shape],
        )
        assert dark == (mask != 0).ravel().tolist()


@pytest.mark.parametrize(
    ("overlay", "on"),
    [
        ("mistakes", ALL),
        ("wrong pixels", ALL),
        ("outline of the truth", ALL),
        ("outline of the mask", ALL),
        ("what persistence changed", ALL),
        ("places of all dots", ALL),
    ],
)
def test_an_overlay_is_switched_on_and_off(opened: Open, overlay: str, on: list[str]) -> None:
    seen = opened()
    panels(seen)
    check(seen, "mistakes")
    before, words = seen.pictures(), seen.text("#legend")
    check(seen, overlay)
    after = seen.pictures()
    changed = [title for title, a, b in zip(ALL, before, after, strict=True) if a != b]
    assert changed == on
    assert seen.text("#legend") != words
    check(seen, overlay)
    assert seen.pictures() == before


def test_the_captions_count_the_mistakes_and_the_legend_names_them(opened: Open) -> None:
    """Two gaps merge cells; by persistence the weak one is closed, and the speck is gone."""
    seen = opened()
    seen.page.wait_for_selector(".panel canvas")
    captions = seen.page.locator(".panel figcaption").all_inner_texts()
    assert captions[-2:] == ["cut at 0.5: 3 mistakes", "by persistence: 1 mistake"]
    assert "cell merged or lost: 2 / 1" in seen.text("#legend")
    assert "piece too many or too few: 1 / 0" in seen.text("#legend")


def test_other_pictures_show_the_mistakes_of_the_mask_that_is_chosen(opened: Open) -> None:
    seen = opened()
    panels(seen)
    before = seen.pictures()
    seen.page.get_by_label("other pictures show those of").select_option("cut at 0.5")
    after = seen.pictures()
    assert [a != b for a, b in zip(before, after, strict=True)] == [True] * 3 + [False] * 2


def zoom_by_button(seen: OpenPage) -> None:
    seen.page.locator("#zoom-in").click()


def zoom_by_key(seen: OpenPage) -> None:
    seen.page.locator(".panel canvas").nth(1).focus()
    seen.page.keyboard.press("+")


def zoom_by_wheel(seen: OpenPage) -> None:
    seen.page.locator(".panel canvas").nth(2).click()
    seen.page.mouse.wheel(0, -300)
    seen.page.locator("#zoom-out:enabled").wait_for()


def zoom_by_double_click(seen: OpenPage) -> None:
    seen.page.locator(".panel canvas").nth(3).dblclick()


WAYS = [zoom_by_button, zoom_by_key, zoom_by_wheel, zoom_by_double_click]


@pytest.mark.parametrize("zoom", WAYS, ids=lambda way: way.__name__)
def test_all_panels_keep_in_step_when_one_is_zoomed_and_moved(
    opened: Open, zoom: Callable[[OpenPage], None]
) -> None:
    """The same place of each panel is the same pixel."""
    seen = opened()
    panels(seen)
    before = seen.pictures()
    zoom(seen)
    zoomed = seen.pictures()
    assert all(a != b for a, b in zip(before, zoomed, strict=True))
    place = seen.point(1, 10, 10)
    seen.page.mouse.move(*place)
    seen.page.mouse.down()
    seen.page.mouse.move(place[0] + 37, place[1] + 21)
    seen.page.mouse.up()
    assert all(a != b for a, b in zip(zoomed, seen.pictures(), strict=True))
    pixels = set()
    for panel in range(len(ALL)):
        seen.page.mouse.move(*seen.point(panel, 20, 20))
        pixels.add(seen.text("#pointer"))
    assert len(pixels) == 1
    seen.page.locator("#zoom-reset").click()
    seen.page.mouse.move(*seen.point(0, 0, 0))
    assert seen.text("#pointer") == "row 0, column 0"


def test_the_wheel_scrolls_the_page_until_a_panel_is_clicked(opened: Open) -> None:
    seen = opened()
    panels(seen)
    seen.page.mouse.move(*seen.point(0, 20, 20))
    seen.page.mouse.wheel(0, -200)
    seen.wait_for_drawing()
    assert seen.page.locator("#zoom-out").is_disabled()


def dot_on_screen(seen: OpenPage, number: int) -> tuple[float, float]:
    seen.page.locator("#diagram-place svg").scroll_into_view_if_needed()
    box = seen.page.locator(f"#dot-{number}").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def a_dot(fate: str) -> tuple[int, list[Any]]:
    """The number of the first dot with this fate, and its row."""
    dots = shown_image().packed(10_000)["dots"]
    return next((k, dot) for k, dot in enumerate(dots) if dot[5] == fate)


def test_a_dot_highlights_its_place(opened: Open) -> None:
    seen = opened()
    panels(seen)
    number, (_, birth, death, birth_pixel, death_pixel, _) = a_dot("closed")
    before = seen.pictures()
    seen.page.mouse.move(*dot_on_screen(seen, number))
    assert all(a != b for a, b in zip(before, seen.pictures(), strict=True))
    words = seen.text("#dot-words")
    assert words.startswith("Hole, closed: ")
    for value, pixel in ((birth, birth_pixel), (death, death_pixel)):
        row, column = divmod(pixel, 56)
        assert f"{value:.3f} (row {row}, column {column})" in words
    seen.page.mouse.move(5, 5)
    assert seen.pictures() == before


def test_a_place_highlights_its_dot_and_a_click_holds_it(opened: Open) -> None:
    seen = opened()
    panels(seen)
    number, dot = a_dot("removed")
    before = seen.pictures()
    place = seen.point(2, *divmod(dot[3], 56))
    seen.page.mouse.move(*place)
    assert seen.page.locator("[aria-selected=true]").get_attribute("id") == f"dot-{number}"
    assert seen.text("#dot-words").startswith("Component, removed: ")
    seen.page.mouse.move(5, 5)
    assert seen.page.locator("[aria-selected=true]").count() == 0
    place = seen.point(2, *divmod(dot[3], 56))
    seen.page.mouse.click(*place)
    seen.page.mouse.move(5, 5)
    assert seen.page.locator("[aria-selected=true]").get_attribute("id") == f"dot-{number}"
    assert seen.pictures() != before
    seen.page.keyboard.press("Escape")
    assert seen.pictures() == before


def test_keys_go_from_dot_to_dot_and_to_its_place(opened: Open) -> None:
    seen = opened()
    panels(seen)
    diagram = seen.page.locator("#diagram-place svg")
    diagram.focus()
    before = seen.pictures()
    for key, number in (("ArrowDown", 0), ("ArrowRight", 1), ("ArrowUp", 0), ("Home", 0)):
        seen.page.keyboard.press(key)
        assert diagram.get_attribute("aria-activedescendant") == f"dot-{number}"
        option = seen.page.locator(f"#dot-{number}")
        assert option.get_attribute("aria-label") == seen.text("#dot-words")
    marked = seen.pictures()
    seen.page.keyboard.press("Enter")
    assert all(len({a, b, c}) == 3 for a, b, c in zip(before, marked, seen.pictures(), strict=True))


def test_dots_are_filtered_by_dimension_and_persistence(opened: Open) -> None:
    seen = opened()
    panels(seen)
    dots = shown_image().packed(10_000)["dots"]
    drawn = seen.page.locator("[role=option]")
    assert drawn.count() == len(dots)
    seen.page.locator("#show-holes").click()
    assert drawn.count() == sum(dot[0] == 0 for dot in dots)
    seen.page.locator("#show-holes").click()
    seen.page.locator("#least-persistence").fill("0.5")
    strong = sum(dot[1] - dot[2] >= 0.5 for dot in dots)
    assert 0 < drawn.count() == strong < len(dots)


def test_the_cursors_of_all_charts_keep_in_step_by_key(opened: Open) -> None:
    seen = opened()
    values = seen.page.locator(".u-value")
    seen.page.locator(".chart").first.focus()
    for _ in range(2):
        seen.page.keyboard.press("ArrowRight")
    assert values.all_inner_texts() == ["2", "0.4000", "4.000", "2", "3.000"]
    for _ in range(2):
        seen.page.keyboard.press("ArrowRight")
    assert values.all_inner_texts() == ["4", "–", "2.000", "4", "1.000"]


def test_marks_and_curves_differ_without_colours(opened: Open) -> None:
    """In shape and in dashes, for readers who can't tell the colours apart."""
    seen = opened()
    panels(seen)
    icons = seen.page.locator("#legend svg > *").evaluate_all("all => all.map((x) => x.tagName)")
    assert sorted(icons) == ["circle", "path", "rect"]
    shapes = seen.page.locator("[role=option]").evaluate_all("all => all.map((x) => x.tagName)")
    assert set(shapes) == {"circle", "rect"}
    before = seen.pictures()
    check(seen, "mistakes")
    check(seen, "outline of the truth")
    solid = seen.pictures()[1]
    check(seen, "outline of the truth")
    check(seen, "outline of the mask")
    assert len({before[1], solid, seen.pictures()[1]}) == 3


def test_everything_that_can_be_used_is_reached_by_the_tab_key(opened: Open) -> None:
    seen = opened(2)
    panels(seen)
    reached = set()
    for _ in range(60):
        seen.page.keyboard.press("Tab")
        reached.add(
            seen.page.evaluate(
                "((e) => e.id || e.getAttribute('class') || e.innerText)(document.activeElement)"
            )
        )
    assert {
        "chart",
        "zoom-in",
        "show-holes",
        "least-persistence",
        "voi\N{NO-BREAK SPACE}↓",
        "image 1",
    } <= reached
    assert seen.page.evaluate(
        "[...document.querySelectorAll('button, input, select, .panel canvas, #diagram-place svg')]"
        ".every((e) => e.disabled || e.tabIndex >= 0)"
    )


def test_what_an_image_lacks_is_left_out(opened: Open) -> None:
    """No truth and no image, and a likelihood that is a mask: it has no diagram."""
    bare = shown_image(image=None, truth=None)
    mask = replace(bare, likelihood=(bare.likelihood >= 0.5).astype("float32"), decisions=None)
    seen = opened(rows=[Row("bare", {}, bare.packed(10_000)), Row("mask", {}, mask.packed(10_000))])
    assert panels(seen) == ["likelihood", "cut at 0.5", "by persistence"]
    offered = [
        text.strip() for text in seen.page.locator("#overlay-choices label").all_inner_texts()
    ]
    assert offered[:3] == ["outline of the mask", "what persistence changed", "places of all dots"]
    seen.page.locator("#next").click()
    seen.page.locator(".panel").nth(2).wait_for(state="detached")
    assert panels(seen) == ["cut at 0.5", "by persistence"]
    assert seen.page.locator("#diagram").is_hidden()


def test_an_image_without_a_picture_says_so(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown_images, "MOST_PICTURES", 2)
    seen = opened(4)
    panels(seen)
    seen.page.locator("#next").click()
    assert "no picture of this image" in seen.text("#picture-note")
    assert seen.page.locator("#diagram").is_hidden()
    seen.page.locator("#image-table tbody button").last.click()
    assert panels(seen) == ALL
    assert seen.page.locator("#picture-note").is_hidden()


def test_places_are_those_of_the_whole_image_if_the_picture_is_shrunk(opened: Open) -> None:
    image = shown_image()
    seen = opened(rows=[Row("large", {}, image.packed(40 * 56 // 4))])
    panels(seen)
    assert "shrunk by 2" in seen.text("#picture-note")
    seen.page.mouse.move(*seen.point(0, 31, 50))
    assert seen.text("#pointer") == "row 31, column 50"
    number, dot = a_dot("removed")
    seen.page.mouse.move(*seen.point(0, *divmod(dot[3], 56)))
    assert seen.page.locator("[aria-selected=true]").get_attribute("id") == f"dot-{number}"


def test_names_are_text_whatever_they_hold(opened: Open) -> None:
    name = "</script><img src=x onerror=alert(1)> \"'&"
    seen = opened(rows=[Row(name, {"voi": 1.0}, shown_image().packed(10_000))])
    assert panels(seen) == ALL
    assert seen.text("#image-name") == name
    assert seen.column("image") == [name]
