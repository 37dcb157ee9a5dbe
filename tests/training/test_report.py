"""What a run leaves behind: pictures, page, numbers; and that the worst patches are the worst."""

from __future__ import annotations

import json
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console

import toponet
from toponet.data import ImageSet
from toponet.evaluation.protocol import FURTHER_METRICS
from toponet.training import TrainConfig
from toponet.training.evaluation import MEASURED, TRAINING_METRICS
from toponet.training.pictures import patches_figure, report_pictures, spread
from toponet.training.report import make_report, measure, result_table, save_report
from toponet.training.run_folder import RunFolder
from toponet.training.state import COLUMNS, Row, TrainingState
from toponet.training.worst_patches import worst_patches

QUIET = Console(quiet=True)
ALL = {
    "segmentation.png",
    "comparison.png",
    "epochs.png",
    "topology.png",
    "losses.png",
    "metrics.png",
}


def config(**options: Any) -> TrainConfig:
    return TrainConfig(**{"patch_size": 17, "epochs": 3, "topo_start_epoch": 3, **options})


def image_set(*shapes: tuple[int, int], channels: int = 1) -> ImageSet:
    """Grids of walls under noise."""
    random = np.random.default_rng(0)
    masks = []
    for height, width in shapes:
        rows, columns = np.indices((height, width))
        masks.append(((rows % 11 == 5) | (columns % 13 == 6)).astype(np.uint8))
    images = [mask + random.normal(0, 0.3, (channels, *mask.shape)) for mask in masks]
    return ImageSet(
        tuple(f"image {k}" for k in range(len(shapes))),
        tuple(image.astype(np.float32) for image in images),
        tuple(masks),
    )


def guesses(data: ImageSet) -> list[NDArray[np.float32]]:
    """Likelihoods that err here and there."""
    random = np.random.default_rng(1)
    return [
        (0.15 + 0.5 * mask + random.uniform(0, 0.35, mask.shape)).astype(np.float32)
        for mask in data.masks
    ]


def row(epoch: int, **values: float) -> Row:
    return {**dict.fromkeys(COLUMNS, 0.5 / epoch), "epoch": epoch, **values}


def finished(*rows: Row, before: Row | None = None) -> TrainingState:
    return TrainingState(epoch=int(rows[-1]["epoch"]), rows=list(rows), before=before)


def save(
    path: Path, options: TrainConfig, data: ImageSet, likelihoods: list[NDArray[np.float32]]
) -> dict[str, Any]:
    """A run whose epochs all made the same masks; its report."""
    folder = RunFolder(replace(options, out=str(path)))
    rows = [row(epoch) for epoch in range(1, options.epochs + 1)]
    for epoch in range(1, options.epochs + 1):
        folder.save_mask(epoch, likelihoods[0] >= 0.5)
    measured = measure(options, data, likelihoods, None)
    report = make_report(options, finished(*rows), measured)
    save_report(folder, options, rows, report, measured, QUIET)
    return report


def assert_pictures(path: Path, expected: set[str]) -> None:
    """There, listed in both files, and not blank."""
    assert {p.name for p in path.glob("*.png")} == expected
    report = json.loads((path / "report.json").read_text())
    assert set(report["pictures"]) == expected
    page = (path / "report.md").read_text()
    for name, caption in report["pictures"].items():
        assert f"![{caption}]({name})" in page
        with Image.open(path / name) as picture:
            assert min(picture.size) > 150
            assert len(set(picture.convert("L").tobytes())) > 20


def test_every_picture_of_a_run_is_there(tmp_path: Path) -> None:
    data = image_set((40, 36), (36, 58))
    report = save(tmp_path / "run", config(), data, guesses(data))
    assert_pictures(tmp_path / "run", ALL)
    assert json.loads((tmp_path / "run" / "report.json").read_text()) == report
    assert report["epochs"] == 3
    assert report["held_out"] == ["image 0", "image 1"]
    assert report["seconds"] == pytest.approx(0.5 + 0.25 + 0.5 / 3)
    page = (tmp_path / "run" / "report.md").read_text()
    assert "| voi ↓ | - | 0.1667 | 0.1667 |" in page
    for name, words in report["conventions"].items():
        assert f"- **{name}**: {words}\n" in page
    for patch in report["worst_patches"]:
        assert f"| {patch['image']} | {patch['row']} | {patch['column']} |" in page
    html = (tmp_path / "run" / "report.html").read_text()
    for image in report["images"]:
        assert f">{image['image']}</button>" in html
        assert f'data-value="{image["cut at 0.5"]["voi"]}"' in html
    for words in (*report["conventions"].values(), "Patches that cost most"):
        assert escape(words) in html


def ones(data: ImageSet) -> list[NDArray[np.float32]]:
    return [np.ones(mask.shape, np.float32) for mask in data.masks]


def truths(data: ImageSet) -> list[NDArray[np.float32]]:
    return [mask.astype(np.float32) for mask in data.masks]


WITHOUT_PHASES = ALL - {"comparison.png"}


@pytest.mark.parametrize(
    ("options", "answer", "expected"),
    [
        ({}, ones, ALL),
        ({}, truths, ALL - {"topology.png"}),
        ({"epochs": 1, "topo_start_epoch": 2}, guesses, WITHOUT_PHASES),
        ({"topo_start_epoch": 1}, guesses, WITHOUT_PHASES),
        ({"dims": (1,), "connectivity": 4, "frame": False}, guesses, ALL),
    ],
    ids=["ones", "truths", "first phase alone", "no first phase", "holes alone"],
)
def test_runs_of_all_kinds_have_their_pictures(
    tmp_path: Path, options: dict[str, Any], answer: Any, expected: set[str]
) -> None:
    data = image_set((20, 36))
    save(tmp_path / "run", config(**options), data, answer(data))
    assert_pictures(tmp_path / "run", expected)


def test_an_empty_truth_and_rgb_images_have_their_pictures(tmp_path: Path) -> None:
    colours = image_set((18, 17), (40, 19), channels=3)
    empty = ImageSet(colours.names, colours.images, tuple(0 * mask for mask in colours.masks))
    save(tmp_path / "run", config(epochs=2, topo_start_epoch=2), empty, guesses(colours))
    assert_pictures(tmp_path / "run", ALL)


def test_a_run_that_began_at_a_checkpoint_has_no_comparison(tmp_path: Path) -> None:
    data = image_set((20, 36))
    masks = {2: data.masks[0], 3: data.masks[0]}
    options, likelihood = config(topo_start_epoch=2), guesses(data)[0]
    files = [p.file for p in report_pictures(options, [row(3)], data, likelihood, masks, [])]
    assert "comparison.png" not in files


def figures(
    data: ImageSet, masks: dict[int, NDArray[np.uint8]], options: TrainConfig
) -> dict[str, Any]:
    rows = [row(epoch) for epoch in sorted(masks)]
    pictures = report_pictures(options, rows, data, guesses(data)[0], masks, [])
    return {picture.file: picture.figure for picture in pictures}


def titles(figure: Any) -> list[str]:
    return [axes.get_title() for axes in figure.axes]


def test_the_comparison_is_image_truth_and_both_ends_with_mistakes_counted() -> None:
    data = image_set((40, 36))
    truth = data.masks[0]
    found = figures(data, {1: 0 * truth, 2: 0 * truth, 3: truth}, config())
    first, second, before, after = titles(found["comparison.png"])
    assert (first, second) == ("image", "truth")
    assert before.startswith("cross-entropy, epoch 2: ")
    assert not before.endswith(": 0 mistakes")
    assert after == "final, epoch 3: 0 mistakes"


def test_the_row_of_epochs_goes_from_the_first_to_the_last() -> None:
    data = image_set((40, 36))
    found = figures(data, dict.fromkeys(range(1, 31), data.masks[0]), config(epochs=30))
    shown = [title.split(":")[0] for title in titles(found["epochs.png"])]
    assert shown == ["truth", "epoch 1", "epoch 8", "epoch 15", "epoch 23", "epoch 30"]
    assert spread([3, 7], 5) == [3, 7]


def test_pixels_that_do_not_count_are_no_mistakes() -> None:
    data = image_set((40, 36))
    wrong, valid = data.masks[0].copy(), np.ones((40, 36), np.uint8)
    wrong[:, 20:] = 0
    valid[:, 20:] = 0
    for valid_masks, count in (((None,), False), ((valid,), True)):
        partly = ImageSet(data.names, data.images, data.masks, valid_masks)
        last = titles(figures(partly, {2: wrong, 3: wrong}, config())["comparison.png"])[-1]
        assert (last == "final, epoch 3: 0 mistakes") == count


@pytest.mark.parametrize(
    "options",
    [{}, {"topo_patch_size": 9}, {"frame": False}, {"dims": (1,)}, {"matching": "wasserstein"}],
    ids=str,
)
def test_the_worst_patches_are_the_worst_of_all_images(options: dict[str, Any]) -> None:
    """Oracle: the explanations of every image; and the loss of the piece that was cut out."""
    data = image_set((40, 36), (20, 58), (33, 33))
    likelihoods, made = guesses(data), config(**options)
    size = options.get("topo_patch_size", 17)
    own = {name: made.term_options[name] for name in ("dims", "matching", "frame")}
    loss = toponet.TopologicalLoss(**own, patch_size=size)
    everything = [
        (patch.loss, name, patch.corner)
        for name, f, g in zip(data.names, likelihoods, data.masks, strict=True)
        for patch in loss.explain(torch.from_numpy(f)[None], torch.from_numpy(g)[None])
    ]
    expected = sorted(everything, reverse=True)[:3]
    worst = worst_patches(made, data, likelihoods, 3)
    assert [(p.explanation.loss, p.image, p.explanation.corner) for p in worst] == expected
    alone = toponet.TopologicalLoss(**own)
    for patch in worst:
        image = data.names.index(patch.image)
        (top, left), (height, width) = patch.explanation.corner, patch.explanation.shape
        part = np.s_[top : top + height, left : left + width]
        np.testing.assert_array_equal(patch.likelihood, likelihoods[image][part])
        np.testing.assert_array_equal(patch.truth, data.masks[image][part])
        cut = alone(torch.from_numpy(patch.likelihood)[None], torch.from_numpy(patch.truth)[None])
        assert cut.item() == pytest.approx(patch.explanation.loss, rel=1e-4)


def test_worst_patches_cost_something_and_their_number_is_bounded() -> None:
    data = image_set((40, 36), (20, 58))
    done: list[int] = []
    assert worst_patches(config(), data, truths(data), 3, done.append) == []
    assert done == [1, 2]
    likelihoods = truths(data)
    likelihoods[1][:, 6] = 0.3
    (only, *others) = worst_patches(config(), data, likelihoods, 9)
    assert only.image == "image 1"
    assert len(others) < 9
    assert len(worst_patches(config(), data, guesses(data), 2)) == 2


def test_patches_are_judged_by_the_pixels_that_count() -> None:
    data = image_set((17, 34))
    valid = np.ones((17, 34), np.uint8)
    valid[:, :17] = 0
    partly = ImageSet(data.names, data.images, data.masks, (valid,))
    assert {p.explanation.corner for p in worst_patches(config(), data, guesses(data), 9)} == {
        (0, 0),
        (0, 17),
    }
    worst = worst_patches(config(), partly, guesses(data), 9)
    assert [p.explanation.corner for p in worst] == [(0, 17)]


def test_captions_say_where_how_much_and_how_many() -> None:
    data = image_set((40, 36))
    worst = worst_patches(config(), data, guesses(data), 2)
    figure = patches_figure(worst, config())
    assert len(figure.axes) == 6
    for part, patch in zip(figure.subfigs, worst, strict=True):
        explanation = patch.explanation
        dots = sum(explanation.count("matched", dimension) for dimension in (0, 1))
        caption = part.get_suptitle()
        corner = explanation.corner
        assert caption.startswith(f"image 0, row {corner[0]}, column {corner[1]}: loss ")
        assert f"loss {explanation.loss:.2f} " in caption
        assert f"{dots} matched" in caption


def test_the_best_epoch_is_the_first_of_the_best() -> None:
    rows = [row(1, voi=2, ari=0.1), row(2, voi=1, ari=0.7), row(3, voi=1, ari=0.7), row(4, voi=3)]
    data = image_set((20, 20))
    for metric in ("voi", "ari"):
        options = config(best_metric=metric)
        measured = measure(options, data, guesses(data), None)
        report = make_report(options, finished(*rows), measured)
        assert (report["best"]["epoch"], report["best"]["by"]) == (2, metric)
        assert {name: report["best"][name] for name in TRAINING_METRICS} == {
            name: rows[1][name] for name in TRAINING_METRICS
        }
        assert report["final"]["voi"] == 3


def test_the_table_has_both_ends_and_the_best() -> None:
    before = dict.fromkeys(TRAINING_METRICS, 0.25)
    state = finished(row(1), row(2), before=before)
    data = image_set((20, 20))
    measured = measure(config(), data, guesses(data), None)
    table = result_table(make_report(config(), state, measured))
    assert table.header[1:] == (
        "cross-entropy phase",
        "end (epoch 2)",
        "best voi (epoch 2)",
    )
    assert table.rows[0] == ("accuracy ↑", "0.2500", "0.2500", "0.2500")
    assert [line[0][-1] for line in table.rows] == ["↑", "↑", "↓", "↓", "↓"]


def test_a_run_that_an_older_version_began_has_a_report_without_what_that_one_did_not_measure(
    tmp_path: Path,
) -> None:
    """The first rows of metrics.csv lack the metrics that came later."""
    old, new = row(1, voi=1), row(2, voi=2)
    for name in FURTHER_METRICS:
        del old[name]
    before = dict.fromkeys(TRAINING_METRICS, 0.25)
    plain = {**finished(old, new, before=before).to_plain(), "best": 1.0}
    state = TrainingState.from_plain(plain)
    data = image_set((20, 20))
    report = make_report(config(), state, measure(config(), data, guesses(data), None))
    shown = result_table(report, MEASURED).rows
    assert {line[0].split()[0]: line[1:] for line in shown}["cldice"] == ("-", "0.2500", "-")
    assert list(report["best"])[2:] == list(TRAINING_METRICS)
    folder = RunFolder(config(out=str(tmp_path / "run")))
    folder.rewrite_metrics(state.rows)
    header, first, second = (folder.path / "metrics.csv").read_text().splitlines()
    assert header.endswith(",seconds," + ",".join(FURTHER_METRICS))
    assert (first[-4:], second[-5:]) == (",,,,", ",0.25")


def test_a_report_that_breaks_off_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run without report.json makes it when it goes on."""

    def fail(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr("toponet.training.pictures.losses_figure", fail)
    data = image_set((20, 36))
    with pytest.raises(MemoryError):
        save(tmp_path / "run", config(), data, guesses(data))
    assert (tmp_path / "run" / "segmentation.png").exists()
    assert not (tmp_path / "run" / "report.json").exists()
    assert not (tmp_path / "run" / "report.md").exists()


@pytest.mark.parametrize("topo_loss", ["cldice", "vgg"])
def test_a_loss_without_critical_pixels_shows_none_and_says_so(
    topo_loss: str, tmp_path: Path
) -> None:
    data = image_set((20, 36))
    report = save(tmp_path / "run", config(topo_loss=topo_loss), data, guesses(data))
    assert_pictures(tmp_path / "run", ALL - {"topology.png"})
    assert report["worst_patches"] == []
    page = (tmp_path / "run" / "report.md").read_text()
    assert f"No critical pixels and worst patches are shown: the topological loss of this run, " \
        f"{topo_loss}, has none" in page  # fmt: skip
    assert "what the loss moves" not in page


@pytest.mark.parametrize(("weight", "words"), [
    (0.0, "what the topological loss would move (it had no weight in this run)"),
    (0.05, "what the loss moves"),
])  # fmt: skip
def test_a_loss_that_had_no_weight_is_not_said_to_have_moved_anything(
    weight: float, words: str
) -> None:
    data = image_set((40, 36))
    worst = worst_patches(config(), data, guesses(data), 1)
    rows = [row(epoch, topo_weight=weight) for epoch in (1, 2)]
    pictures = report_pictures(config(), rows, data, guesses(data)[0], {}, worst)
    (caption,) = (p.caption for p in pictures if p.file == "topology.png")
    assert words in caption
