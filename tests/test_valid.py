"""One meaning of ``valid``: loss, metrics, evaluation, inspection and pictures hold each other."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

import toponet
from toponet import metrics
from toponet.cli import inspect as cli
from toponet.data import ImageSet, Sample
from toponet.evaluation import Protocol, score_image
from toponet.inspection.statistics import image_statistics
from toponet.metrics.conventions import betti_convention
from toponet.plots import plot_errors, plot_masks, plot_mistakes, plot_segmentation
from toponet.topology.cleaning import clean_mask, find_tiny
from toponet.training import TrainConfig
from toponet.training.evaluation import evaluate
from toponet.training.pictures import overlay

GRID: dict[str, Any] = {"patches": "grid", "patch_size": 65}
FUNCTIONS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "BettiError": (metrics.betti_error, {"patches": "grid", "patch_size": 20}),
    "BettiNumberError": (metrics.betti_number_error, {}),
    "AdaptedRandScore": (metrics.adapted_rand_score, {}),
    "VariationOfInformation": (metrics.variation_of_information, {}),
    "PixelAccuracy": (metrics.pixel_accuracy, {}),
    "CldiceScore": (metrics.cldice_score, {}),
    "EulerNumberError": (metrics.euler_number_error, {}),
    "BettiMatchingError": (metrics.betti_matching_error, {"patches": "grid", "patch_size": 20}),
    "BettiMatchingScore": (metrics.betti_matching_score, {}),
}


def one_quarter() -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.bool_]]:
    """130 x 130 pixels of which a quarter counts; the prediction lacks the one wall there."""
    prediction, truth = np.zeros((2, 130, 130), dtype=np.uint8)
    valid = np.zeros((130, 130), dtype=bool)
    valid[:65, :65] = True
    truth[:65, 32] = 1
    return prediction, truth, valid


def noise(images: int = 2) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    rng = np.random.default_rng(3)
    prediction, truth = rng.random((2, images, 45, 53)) < 0.4
    valid = np.zeros(truth.shape, dtype=bool)
    valid[:, 4:17, 25:50] = True
    return prediction, truth, valid


def numbers(result: Any) -> list[float]:
    if isinstance(result, dict):
        return [float(value) for value in result.values()]
    if isinstance(result, tuple | metrics.BettiErrorResult | metrics.BettiMatchingScoreResult):
        return list(result)
    return [float(result)]


def panel() -> Any:
    return Figure().subplots()


def test_loss_metrics_evaluation_inspection_and_pictures_agree_on_one_quarter() -> None:
    """Three of four patches hold no pixel that counts: they aren't patches without an error."""
    prediction, truth, valid = one_quarter()
    f, g, v = (torch.from_numpy(array)[None].float() for array in (prediction, truth, valid))
    # A hole of the truth without a partner costs 1/2.
    assert toponet.TopologicalLoss(patch_size=65)(f, g, valid=v).item() == pytest.approx(0.5)
    assert tuple(metrics.betti_error(prediction, truth, valid=valid, **GRID)) == (0, 1)
    metric = metrics.BettiError(**GRID)
    metric.update(f[:, None], g[:, None], v[:, None])
    assert numbers(metric.compute()) == [0, 1]
    scores = score_image(prediction, truth, Protocol(betti_convention(**GRID)), valid)
    assert (scores.metrics["betti_error_0"], scores.metrics["betti_error_1"]) == (0, 1)
    assert (scores.predicted, scores.true) == ({0: 0, 1: 1}, {0: 0, 1: 2})
    found = image_statistics(
        Sample(np.zeros((1, 130, 130), np.float32), truth, valid.view(np.uint8)), 10
    )
    assert found.betti[8] == (0, 2)
    assert found.share == 65 / 65**2
    (merged, *_) = plot_mistakes(
        panel(), prediction, truth, valid=valid
    ).get_legend_handles_labels()[1]
    assert merged == "cell merged or lost: 1"


def test_random_patches_are_those_that_hold_a_pixel_that_counts() -> None:
    """Whatever is drawn sees that all is structure where nothing should be."""
    _, empty, valid = one_quarter()
    full, empty = np.ones_like(empty), np.zeros_like(empty)
    assert tuple(metrics.betti_error(full, empty, valid=valid)) == (0, 1)
    masks = ([full.astype(np.float32)], [empty], TrainConfig().protocol, [valid.view(np.uint8)])
    assert evaluate(*masks)["betti_error_1"] == 1
    speck = np.zeros((400, 300), dtype=bool)
    speck[370:375, 8:11] = True
    big = np.zeros((400, 300))
    assert tuple(metrics.betti_error(1 - big, big, valid=speck, patches=10)) == (0, 1)
    assert tuple(metrics.betti_error(1 - big, big, patches=10)) == (0, 1)


def test_a_patch_with_a_single_pixel_that_counts_is_drawn() -> None:
    valid = np.zeros((90, 70), dtype=bool)
    valid[47, 31] = True
    empty = np.zeros(valid.shape)
    error = metrics.betti_error(1 - empty, empty, valid=valid, patches=3, patch_size=9)
    assert tuple(error) == (0, 1)


@pytest.mark.parametrize("patches", [7, "grid"])
def test_patches_that_count_have_the_same_weight(patches: int | str) -> None:
    """Oracle: patch by patch, what doesn't count filled in by hand."""
    prediction, truth, valid = noise(1)
    options: dict[str, Any] = {"patches": patches, "patch_size": 20}
    boxes = [(r, c) for r in (0, 15, 30) for c in (0, 17, 35)]
    filled = [np.where(valid, mask, True)[0] for mask in (prediction, truth)]
    if patches == 7:
        everywhere = np.ones_like(valid)
        assert metrics.betti_error(prediction, truth, valid=everywhere, **options) == (
            metrics.betti_error(prediction, truth, **options)
        )
        return
    differences = []
    for (r, c), bottom, right in zip(boxes, [15] * 3 + [30] * 3 + [45] * 3,
                                     [17, 35, 53] * 3, strict=True):  # fmt: skip
        cut = np.s_[r:bottom, c:right]
        if valid[0][cut].any():
            counts = [toponet.betti_numbers(mask[cut], frame=True)[0] for mask in filled]
            differences.append(np.abs(counts[0] - counts[1]))
    assert 1 < len(differences) < 9
    error = metrics.betti_error(prediction, truth, valid=valid, **options)
    np.testing.assert_allclose(tuple(error), np.mean(differences, axis=0))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_does_not_count_parts_cells_in_prediction_and_truth(name: str) -> None:
    """Cells on both sides of a column that doesn't count: it parts them, whatever stands in it."""
    function, options = FUNCTIONS[name]
    wall = np.zeros((1, 20, 21), dtype=np.uint8)
    wall[..., 10] = 1
    perfect = numbers(function(wall, wall, **options))
    for prediction, truth in ((0, 0), (0, 1), (1, 0)):
        found = function(wall * prediction, wall * truth, valid=1 - wall, **options)
        assert numbers(found) == perfect


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_that_do_not_count_do_not_matter(name: str) -> None:
    """Labels of 255 and likelihoods of NaN there are neither refused nor seen."""
    function, options = FUNCTIONS[name]
    prediction, truth, valid = noise()
    expected = numbers(function(prediction, truth, valid=valid, **options))
    spoilt = np.where(valid, prediction, np.nan), np.where(valid, truth, 255)
    assert numbers(function(*spoilt, valid=valid, **options)) == expected
    turned = np.where(valid, prediction, ~prediction), np.where(valid, truth, ~truth)
    assert numbers(function(*turned, valid=valid.astype(int), **options)) == expected
    metric = getattr(metrics, name)(**options)
    metric.update(*(torch.from_numpy(array)[:, None] for array in (*spoilt, valid)))
    assert numbers(metric.compute()) == pytest.approx(expected, rel=1e-6)
    assert numbers(function(prediction, truth, **options)) != expected


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_image_in_which_nothing_counts_says_nothing(name: str) -> None:
    function, options = FUNCTIONS[name]
    prediction, truth, valid = noise()
    alone = numbers(function(prediction[0], truth[0], valid=valid[0], **options))
    valid[1] = False
    assert numbers(function(prediction, truth, valid=valid, **options)) == alone
    metric = getattr(metrics, name)(**options)
    metric.update(prediction, truth, valid)
    metric.update(prediction[1], truth[1], valid[1])
    assert numbers(metric.compute()) == pytest.approx(alone, rel=1e-6)
    with pytest.raises(ValueError, match="valid must hold at least one pixel that counts"):
        function(prediction, truth, valid=valid & False, **options)
    nothing = getattr(metrics, name)(**options)
    nothing.update(prediction, truth, valid & False)
    with pytest.raises(ValueError, match="has seen no image"):
        nothing.compute()


def test_accuracy_is_the_share_of_the_pixels_that_count() -> None:
    prediction, truth, valid = noise(1)
    expected = np.mean(prediction[valid] == truth[valid])
    assert metrics.pixel_accuracy(prediction, truth, valid=valid) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("valid", "error", "sentence"),
    [
        (np.ones((3, 4)), ValueError, r"valid must have the shape of the images, .*got \(.*3, 4\)"),
        (np.full((45, 53), 255), ValueError, "valid must hold only 0 and 1, got 255 as well"),
        (np.ma.ones((45, 53)), TypeError, "valid must be a plain array, got a masked one"),
        (np.full((45, 53), "a"), TypeError, "valid must hold real numbers"),
    ],
    ids=["shape", "255", "masked", "text"],
)  # fmt: skip
def test_what_is_no_valid_mask_is_refused_everywhere(
    valid: Any, error: type[Exception], sentence: str
) -> None:
    f, g = noise(1)[0][0], noise(1)[1][0]
    image = np.zeros((1, *f.shape))
    takers: list[Callable[[], Any]] = [
        *(lambda n=n: FUNCTIONS[n][0](f, g, valid=valid) for n in FUNCTIONS),
        *(lambda n=n: getattr(metrics, n)().update(f, g, valid) for n in FUNCTIONS),
        lambda: score_image(f, g, Protocol(), valid),
        lambda: plot_mistakes(panel(), f, g, valid=valid),
        lambda: plot_errors(panel(), f, g, valid=valid),
        lambda: plot_masks(Figure(), g, {"f": f}, valid=valid),
        lambda: plot_segmentation(Figure(), image, g, f, valid=valid),
        lambda: find_tiny(f, 8, 3, valid),
        lambda: clean_mask(f, 8, 3, valid),
    ]
    for take in takers:
        with pytest.raises(error, match=sentence):
            take()


def test_pictures_show_what_does_not_count_in_a_grey_of_its_own() -> None:
    prediction, truth, valid = one_quarter()
    image = np.zeros((1, 130, 130))

    def pixels(axes: Any) -> NDArray[Any]:
        drawn: NDArray[Any] = np.asarray(axes.images[0].get_array())
        return drawn

    panels = [
        plot_mistakes(panel(), prediction, truth, valid=valid),
        plot_errors(panel(), prediction, truth, valid=valid),
        *plot_masks(Figure(), truth, {"f": prediction}, valid=valid),
        *plot_segmentation(Figure(), image, truth, prediction, valid=valid)[[1, 3]],
    ]
    data = ImageSet(("x",), (image.astype(np.float32),), (truth,), (valid.astype(np.uint8),))
    report = overlay(TrainConfig(), data, prediction.astype(np.float32)).axes
    panels += [report[1], report[3]]
    for axes in panels:
        shown = pixels(axes)
        greys = np.unique(shown[~valid])
        assert len(greys) == 1
        assert 0.5 < greys[0] < 0.9
        assert not (shown[valid] == greys[0]).any()


def speck_and_hole() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A speck and a pinhole that count, the same where nothing does, and one of each cut."""
    mask, valid = np.zeros((20, 30), np.uint8), np.ones((20, 30), np.uint8)
    valid[:, 18:] = 0
    mask[8] = 1
    mask[12:, :] = 1
    mask[3, [4, 25]] = 1
    mask[15, [4, 25]] = 0
    mask[5, 16:24] = 1  # Two pixels of it count.
    mask[16, 15:24] = 0  # Three.
    return mask, valid


def test_tiny_parts_are_those_of_the_pixels_that_count() -> None:
    mask, valid = speck_and_hole()
    tiny = find_tiny(mask, 8, 5, valid)
    assert tiny.speck_centres.tolist() == [[3, 4], [5, 16.5]]
    assert tiny.hole_centres.tolist() == [[15, 4], [16, 16]]
    cleaned = clean_mask(mask, 8, 5, valid)
    expected = mask.copy()
    expected[3, 4], expected[15, 4] = 0, 1
    expected[5, 16:18], expected[16, 15:18] = 0, 1
    np.testing.assert_array_equal(cleaned, expected)
    assert len(find_tiny(mask, 8, 5).speck_centres) == 2
    assert (clean_mask(mask, 8, 5) != cleaned).any()


def test_an_inspection_reads_valid_and_counts_by_it(tmp_path: Path) -> None:
    mask, valid = speck_and_hole()
    for kind in ("images", "labels", "valid"):
        (tmp_path / "data" / kind).mkdir(parents=True)
    for name in ("a", "b", "empty", "missing"):
        picture = np.random.default_rng(0).integers(0, 255, mask.shape).astype(np.uint8)
        Image.fromarray(picture).save(tmp_path / "data" / "images" / f"{name}.png")
        Image.fromarray(mask * 255).save(tmp_path / "data" / "labels" / f"{name}.png")
    for name, counts in (("a", valid), ("b", np.ones_like(valid)), ("empty", 0 * valid)):
        Image.fromarray(counts * 255).save(tmp_path / "data" / "valid" / f"{name}.png")
    out, clean = tmp_path / "out", tmp_path / "clean"
    arguments = [str(tmp_path / "data"), f"--out={out}", f"--clean={clean}", "--min-size=5"]
    assert cli.main([*arguments, "--connectivity=8"]) == 1  # Two problems, below.
    report = json.loads((out / "report.json").read_text())
    cut, whole = report["images"]
    assert (cut["counted"], whole["counted"]) == (20 * 18, 20 * 30)
    assert cut["structure"] == round(float(mask[:, :18].mean()), 5)
    assert (cut["tiny_specks_8"], whole["tiny_specks_8"]) == (2, 2)
    filled = np.where(valid, mask, 1)
    expected = toponet.betti_numbers(filled, frame=True)[0].tolist()
    assert [cut["components_8"], cut["holes_8"]] == expected
    problems = " ".join(report["problems"])
    assert f"missing.png has no partner of that name in {tmp_path / 'data' / 'valid'}" in problems
    assert "empty.png marks no pixel that counts" in problems
    assert "pixels that count" in (out / "report.md").read_text()
    written = np.asarray(Image.open(clean / "labels" / "a.png")) > 0
    np.testing.assert_array_equal(written, clean_mask(mask, 8, 5, valid))


def test_corners_and_depths_are_those_of_the_pixels_that_count() -> None:
    mask = np.eye(12, dtype=np.uint8)
    valid = np.ones_like(mask)
    valid[6:] = 0
    image = np.zeros((1, 12, 12), np.float32)
    assert image_statistics(Sample(image, mask), 3).corners == 11
    found = image_statistics(Sample(image, mask, valid), 3)
    assert found.corners == 5
    assert found.structure == 6
    assert math.isnan(image_statistics(Sample(image, mask * valid, 1 - valid), 3).depths[0])
