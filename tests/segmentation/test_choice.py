"""choose_segmentation: what it takes is the best of what it tried, by the metrics themselves."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from rich.console import Console

import toponet
from toponet.metrics import (
    adapted_rand_score,
    betti_error,
    pixel_accuracy,
    variation_of_information,
)
from toponet.segmentation import SegmentationChoice, SegmentationOptions
from toponet.segmentation.grid import Grid

SMALL = {"thresholds": (0.4, 0.5), "keeps": (0, 0.4), "adds": (None, 0.2)}


def labelled(count: int = 2) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
    """Walls with a weak place, specks of some strength, and noise; the sizes differ."""
    likelihoods, truths = [], []
    for k in range(count):
        rng = np.random.default_rng(k)
        truth = np.zeros((13 + k, 12), dtype=np.uint8)
        truth[6] = truth[:, 4] = truth[:, 9] = 1
        likelihood = np.where(truth, 0.75, 0.15) + rng.normal(0, 0.1, truth.shape)
        likelihood[6, 2] = likelihood[10, 4] = 0.42
        likelihood[2, 2] = likelihood[9, 11] = 0.58
        likelihoods.append(likelihood.clip(0, 1))
        truths.append(truth)
    return likelihoods, truths


def choose(*images: Any, **options: Any) -> SegmentationChoice:
    return toponet.choose_segmentation(*(images or labelled()), **{**SMALL, **options})


METRICS: dict[str, Callable[..., float]] = {
    "voi": lambda mask, truth, connectivity, **_: sum(
        variation_of_information(mask, truth, connectivity=connectivity)
    ),
    "ari": lambda mask, truth, connectivity, **_: adapted_rand_score(
        mask, truth, connectivity=connectivity
    ),
    "betti": lambda mask, truth, **convention: sum(betti_error(mask, truth, **convention)),
    "accuracy": lambda mask, truth, **_: pixel_accuracy(mask, truth),
}


@pytest.mark.parametrize("convention", [
    {"dims": (0, 1), "connectivity": 8, "frame": True},
    {"dims": (1,), "connectivity": 4, "frame": True},
    {"dims": (0,), "connectivity": 8, "frame": False},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("metric", METRICS)
def test_the_choice_is_the_best_of_what_was_tried(metric: str, convention: dict[str, Any]) -> None:
    """Oracle: segment and the metric, image by image."""
    likelihoods, truths = labelled()
    choice = choose(likelihoods, truths, metric=metric, **convention)
    for trial in choice.tried:
        masks = [
            toponet.segment(f, **asdict(trial.options), **convention).mask for f in likelihoods
        ]
        pairs = list(zip(masks, truths, strict=True))
        score = np.mean([METRICS[metric](*pair, **convention) for pair in pairs])
        accuracy = np.mean([pixel_accuracy(*pair) for pair in pairs])
        assert (trial.score, trial.accuracy) == pytest.approx((score, accuracy), abs=1e-12)
        assert trial.eligible == (accuracy >= choice.cut_accuracy - 0.001)
    scores = [trial.score for trial in choice.tried if trial.eligible]
    assert choice.score == (min(scores) if metric in ("voi", "betti") else max(scores))
    chosen = next(trial for trial in choice.tried if trial.options == choice.options)
    assert (chosen.score, chosen.accuracy) == (choice.score, choice.accuracy)
    assert chosen.eligible
    assert (choice.metric, choice.images) == (metric, 2)


def test_the_first_trial_is_the_cut_at_one_half_even_if_the_grid_lacks_it() -> None:
    choice = choose(thresholds=(0.4,), keeps=(0.4,), adds=(0.2,))
    assert [trial.options for trial in choice.tried] == [
        SegmentationOptions.cut(0.5),
        SegmentationOptions.cut(0.4),
        SegmentationOptions(0.4, 0.4, 0.2),
    ]
    assert (choice.tried[0].score, choice.tried[0].accuracy) == (
        choice.cut_score,
        choice.cut_accuracy,
    )


@pytest.mark.parametrize("option", ["thresholds", "keeps", "adds"])
def test_each_part_of_the_grid_is_combined(option: str) -> None:
    more = {"thresholds": 0.51, "keeps": 0.6, "adds": 0.4}[option]
    values = {"thresholds": (0.52,), "keeps": (0.4,), "adds": (0.2,)}
    few, many = (
        {trial.options for trial in choose(**grid).tried}
        for grid in (values, {**values, option: (*values[option], more)})
    )
    number = {"thresholds": "threshold", "keeps": "keep", "adds": "add"}[option]
    assert few < many
    assert {getattr(each, number) for each in many - few} == {more}


def test_accuracy_may_be_lost_up_to_the_limit_only() -> None:
    """The lower threshold closes the wall, but it makes the wall thick as well."""
    truth = np.tile([0, 0, 0, 1, 0, 0, 0], (2, 9, 1))
    likelihood = np.tile([0.1, 0.1, 0.45, 0.9, 0.45, 0.1, 0.1], (2, 9, 1))
    likelihood[:, 4, 3] = 0.45
    strict, generous = (
        choose(likelihood, truth, metric="betti", keeps=(0,), adds=(None,), accuracy_loss=loss)
        for loss in (0.1, 0.4)
    )
    assert [(each.options, each.score) for each in (strict, generous)] == [
        (SegmentationOptions.cut(0.5), 1),
        (SegmentationOptions.cut(0.4), 0),
    ]
    assert [trial.eligible for trial in strict.tried] == [True, False]
    assert [trial.eligible for trial in generous.tried] == [True, True]
    assert generous.accuracy < generous.cut_accuracy - 0.1


def test_nothing_is_changed_if_the_cut_is_as_good_as_anything() -> None:
    truths = labelled()[1]
    choice = choose([truth.astype(float) for truth in truths], truths)
    assert choice.options == SegmentationOptions.cut(0.5)


@pytest.mark.parametrize(("better", "worse"), [
    ((0.4, 0, 0.2), (0.5, 0.2, None)),
    ((0.4, 0.2, None), (0.5, 0.2, 0.4)),
    ((0.4, 0.2, 0.4), (0.5, 0.2, 0.3)),
    ((0.55, 0.2, 0.3), (0.4, 0.2, 0.3)),
    ((0.45, 0.2, 0.3), (0.55, 0.2, 0.3)),
])  # fmt: skip
def test_among_equals_the_one_that_changes_least_is_taken(better: Any, worse: Any) -> None:
    from toponet.segmentation.choice import Trial, _best

    trials = [Trial(SegmentationOptions(*each), 1.0, 1.0, True) for each in (worse, better)]
    assert _best(trials, -1) is trials[1]
    assert _best([replace(trials[0], score=0.5), trials[1]], -1).score == 0.5


def test_the_search_ends_where_nothing_around_is_better() -> None:
    """All that lies around the choice was tried, and all thresholds as cuts."""
    grid: dict[str, Any] = {
        "thresholds": (0.3, 0.4, 0.5, 0.6), "keeps": (0, 0.2, 0.4), "adds": (None, 0.1, 0.3)
    }  # fmt: skip
    choice = choose(accuracy_loss=1, metric="ari", **grid)
    tried = {trial.options for trial in choice.tried}
    assert set(Grid(**grid).around(choice.options)) <= tried
    assert {SegmentationOptions.cut(t) for t in grid["thresholds"]} <= tried
    assert {each for each in Grid(**grid).combinations if each.threshold == 0.5} <= tried
    assert len(tried) == len(choice.tried) < len(Grid(**grid).combinations)


def test_neighbours_are_near_or_differ_in_one_number_only() -> None:
    grid = Grid((0.3, 0.4, 0.5, 0.6), (0, 0.2, 0.4), (None, 0.1, 0.3))
    numbers = {(each.threshold, each.keep, each.add)
               for each in grid.around(SegmentationOptions(0.4, 0, None))}  # fmt: skip
    near = {(t, keep, add) for t in (0.3, 0.4, 0.5) for keep in (0, 0.2) for add in (None, 0.3)}
    assert numbers == near | {(0.6, 0, None), (0.4, 0.4, None), (0.4, 0, 0.1)}


def test_pixels_that_do_not_count_do_not_matter() -> None:
    likelihoods, truths = labelled()
    valid = [np.ones_like(truth) for truth in truths]
    for mask in valid:
        mask[:, :6] = 0
    spoilt = [np.where(mask, f, np.nan) for f, mask in zip(likelihoods, valid, strict=True)]
    labels = [np.where(mask, g, 255) for g, mask in zip(truths, valid, strict=True)]
    choice = choose(likelihoods, truths, valid=valid)
    assert choose(spoilt, labels, valid=valid) == choice
    assert choice.cut_score != choose(likelihoods, truths).cut_score
    everywhere = np.ones_like(truths[1])
    partly = [choose(likelihoods, truths, valid=[valid[0], other]) for other in (None, everywhere)]
    assert partly[0] == partly[1] != choice


def test_an_image_in_which_no_pixel_counts_is_left_out() -> None:
    likelihoods, truths = labelled(3)
    valid = [np.full(truth.shape, k != 1) for k, truth in enumerate(truths)]
    assert choose(likelihoods, truths, valid=valid) == choose(likelihoods[::2], truths[::2])


@pytest.mark.parametrize(
    ("option", "value"), [("patch_size", 5), ("patches", "grid"), ("patches", 3), ("seed", 1)]
)
def test_the_patches_of_the_betti_error_can_be_chosen(option: str, value: Any) -> None:
    size = {} if option == "patch_size" else {"patch_size": 7}
    one = choose(metric="betti", **size)
    other = choose(metric="betti", **size, **{option: value})
    assert one.cut_score != other.cut_score
    assert one.convention != other.convention
    with pytest.raises(ValueError, match=f"{option} has no meaning for metric='voi'"):
        choose(**{option: value})


@pytest.mark.parametrize(
    ("metric", "words"),
    [("voi", "bits"), ("ari", "Rand"), ("betti", "65 x 65"), ("accuracy", "pixels")],
)
def test_the_choice_says_how_the_metric_was_counted(metric: str, words: str) -> None:
    assert words in choose(metric=metric, connectivity=4).convention


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_tensors_give_what_arrays_give(dtype: torch.dtype) -> None:
    likelihoods, truths = labelled()
    tensors = [torch.from_numpy(f).to(dtype) for f in likelihoods]
    masks = [torch.from_numpy(g) for g in truths]
    wide = [
        (f if dtype == torch.float64 else f.float()).numpy() for f in tensors
    ]  # Half precision is widened.
    assert choose(tensors, masks, valid=[m >= 0 for m in masks]) == choose(wide, truths)


def test_a_batch_is_a_sequence_of_images() -> None:
    likelihoods, truths = (np.stack([part[0], part[0][::-1]]) for part in labelled())
    assert choose(likelihoods, truths) == choose(list(likelihoods), list(truths))


def test_the_number_of_threads_does_not_change_the_choice() -> None:
    images = labelled(3)
    assert choose(*images, num_threads=1) == choose(*images, num_threads=4)
    with pytest.raises(ValueError, match="num_threads must be at least 1"):
        choose(num_threads=0)


def test_a_single_image_is_warned_of() -> None:
    with pytest.warns(UserWarning, match="chosen on a single image"):
        choose(*labelled(1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        choose(*labelled(2))


def test_a_single_image_that_counts_is_warned_of() -> None:
    likelihoods, truths = labelled(2)
    valid = [np.full(truth.shape, k == 0) for k, truth in enumerate(truths)]
    with pytest.warns(UserWarning, match="chosen on a single image"):
        choose(likelihoods, truths, valid=valid)


def first(array: NDArray[Any], pixel: Any) -> NDArray[Any]:
    changed = array.astype(type(pixel))
    changed.ravel()[0] = pixel
    return changed


F, G = labelled()


@pytest.mark.parametrize(("images", "options", "error", "words"), [
    (([], []), {}, ValueError, "likelihoods must hold at least one image"),
    ((F, G[:1]), {}, ValueError, "truths must hold one mask for each likelihood, got 1 for 2"),
    ((F, G), {"valid": G[:1]}, ValueError, "valid must hold one mask for each likelihood"),
    ((F, G[::-1]), {}, ValueError, r"likelihoods\[0\] and truths\[0\] must have the same shape"),
    ((F[0], G[0]), {}, ValueError, r"likelihoods\[0\] must be one image of shape \(H, W\)"),
    ((F, [g[None] for g in G]), {}, ValueError, r"truths\[0\] must be one image of shape"),
    (([F[0], first(F[1], 2.0)], G), {}, ValueError, r"likelihoods\[1\] must hold probabilities"),
    (([F[0], first(F[1], np.nan)], G), {}, ValueError, r"likelihoods\[1\] must hold probabil"),
    ((G, G), {}, TypeError, r"likelihoods\[0\] must hold probabilities of a float type"),
    ((F, [G[0], first(G[1], 7)]), {}, ValueError, r"truths\[1\] must hold only 0 and 1"),
    ((F, G), {"valid": G[::-1]}, ValueError, "image 0: valid must have the shape of the images"),
    ((F, G), {"valid": [g * 0 for g in G]}, ValueError, "at least one pixel that counts"),
    ((F, G), {"metric": "dice"}, ValueError, "metric must be one of 'voi'"),
    ((F, G), {"accuracy_loss": -1}, ValueError, "accuracy_loss must be at least 0"),
    ((F, G), {"thresholds": ()}, ValueError, "thresholds must hold at least one value"),
    ((F, G), {"thresholds": (1,)}, ValueError, "threshold must lie between 0 and 1"),
    ((F, G), {"keeps": (-1,)}, ValueError, "keep must be at least 0"),
    ((F, G), {"adds": ("a",)}, TypeError, "add must be a number"),
    ((F, G), {"dims": (2,)}, ValueError, "dims must be"),
    ((F, G), {"connectivity": 6}, ValueError, "connectivity must be one of 4, 8"),
    ((F, G), {"frame": "rim"}, TypeError, "frame must be True or False"),
    ((F, G), {"progress": 7}, TypeError, "progress must be True, False or a console"),
])  # fmt: skip
def test_what_is_wrong_is_said(
    images: Any, options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        choose(*images, **options)


def test_progress_is_shown_on_the_console_that_is_given() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    choice = choose(progress=console)
    assert f"{len(choice.tried)}/{len(choice.tried)}" in console.file.getvalue()  # type: ignore


@pytest.mark.parametrize("progress", [True, False])
def test_progress_is_no_part_of_the_output(
    progress: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    choose(progress=progress)
    # Old versions of rich end a bar that isn't drawn with an empty line.
    assert [text.strip() for text in capsys.readouterr()] == ["", ""]


def test_a_choice_survives_json() -> None:
    choice = choose()
    plain = json.loads(json.dumps(choice.to_plain()))
    assert SegmentationChoice.from_plain(plain) == choice


@pytest.mark.parametrize(("change", "error", "words"), [
    ({"scores": 1}, ValueError, "unknown or missing parts: scores"),
    ({"metric": "dice"}, ValueError, "metric must be one of"),
    ({"options": {"threshold": 2, "keep": 0, "add": None}}, ValueError, "threshold must lie"),
    ({"options": {"level": 0.5}}, ValueError, "damaged"),
    ({"tried": [{"threshold": 0.5}]}, ValueError, "damaged"),
])  # fmt: skip
def test_a_damaged_choice_is_refused(change: Any, error: type[Exception], words: str) -> None:
    plain = choose().to_plain()
    with pytest.raises(error, match=words):
        SegmentationChoice.from_plain({**plain, **change})
    with pytest.raises(TypeError, match="expected a choice"):
        SegmentationChoice.from_plain([plain])  # type: ignore[arg-type]


def test_a_choice_is_described_in_one_line() -> None:
    choice = SegmentationChoice(
        SegmentationOptions(0.45, 0.5, 0.2), "voi", 0.7123, 0.9, 0.801, 0.9, 14, (), "bits"
    )
    assert choice.describe("training images") == (
        "threshold 0.45, keep 0.5, add 0.2: VOI 0.712 on 14 training images; cut at 0.5: 0.801"
    )
    cut = replace(choice, options=SegmentationOptions.cut(0.4), metric="betti")
    assert cut.describe().startswith(
        "threshold 0.4, keep 0, add none: Betti error 0.712 on 14 labelled images"
    )
