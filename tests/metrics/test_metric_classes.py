"""The torchmetrics classes: the functions' numbers over batches, epochs and processes."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchmetrics
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from toponet import metrics

SIZE = (40, 52)

# Each class with options under which a result doesn't depend on how images are dealt out.
SUMMABLE: list[tuple[str, dict[str, Any]]] = [
    ("BettiError", {"patches": "grid", "patch_size": 17}),
    ("BettiError", {"convention": "topomortar"}),
    ("BettiError", {"convention": "toponet-authors", "patches": "grid", "patch_size": 21}),
    ("BettiNumberError", {"frame": False}),
    ("AdaptedRandScore", {}),
    ("AdaptedRandScore", {"maximal": True}),
    ("VariationOfInformation", {"connectivity": 4}),
    ("PixelAccuracy", {}),
    ("CldiceScore", {"skeleton": "lee"}),
    ("EulerNumberError", {"frame": False}),
    ("BettiMatchingError", {"patches": "grid", "patch_size": 17}),
    ("BettiMatchingError", {"convention": "betti-matching"}),
    ("BettiMatchingScore", {"patch_size": None, "frame": "rim"}),
]
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "BettiError": metrics.betti_error,
    "BettiNumberError": metrics.betti_number_error,
    "AdaptedRandScore": metrics.adapted_rand_score,
    "VariationOfInformation": metrics.variation_of_information,
    "PixelAccuracy": metrics.pixel_accuracy,
    "CldiceScore": metrics.cldice_score,
    "EulerNumberError": metrics.euler_number_error,
    "BettiMatchingError": metrics.betti_matching_error,
    "BettiMatchingScore": metrics.betti_matching_score,
}
HIGHER_IS_BETTER = ("AdaptedRandScore", "BettiMatchingScore", "CldiceScore", "PixelAccuracy")


def batch(seed: int, images: int = 2) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(seed)
    share = rng.uniform(0.3, 0.7, (images, 1, 1))
    masks = [torch.from_numpy(rng.random((images, *SIZE)) < share).long() for _ in range(2)]
    return masks[0], masks[1]


def build(name: str, options: dict[str, Any]) -> torchmetrics.Metric:
    metric: torchmetrics.Metric = getattr(metrics, name)(**options)
    return metric


def numbers(result: Any) -> list[float]:
    """Of a class's result, and of a function's."""
    if isinstance(result, dict):
        return [float(value) for value in result.values()]
    if isinstance(result, tuple | metrics.BettiErrorResult | metrics.BettiMatchingScoreResult):
        return list(result)
    return [float(result)]


@pytest.mark.parametrize(("name", "options"), SUMMABLE, ids=str)
def test_batches_add_up_to_the_function_of_all_images(name: str, options: dict[str, Any]) -> None:
    """Batches of unequal size: a mean of batch means would differ."""
    batches = [batch(1, images=3), batch(2, images=1), batch(3, images=2)]
    metric = build(name, options)
    for predicted, truth in batches:
        metric.update(predicted, truth)
    everything = [torch.cat(masks) for masks in zip(*batches, strict=True)]
    expected = FUNCTIONS[name](*everything, **options)
    assert numbers(metric.compute()) == pytest.approx(numbers(expected), rel=1e-5)
    batch_means = [numbers(FUNCTIONS[name](*masks, **options)) for masks in batches]
    assert numbers(expected) != pytest.approx(np.mean(batch_means, axis=0), rel=1e-5)


def test_results_have_names() -> None:
    masks = batch(0)
    names = {
        "BettiError": ["betti_error_0", "betti_error_1"],
        "BettiMatchingError": ["betti_matching_error_0", "betti_matching_error_1"],
        "BettiMatchingScore": [
            f"betti_matching_{score}_{d}" for score in ("precision", "recall", "f1") for d in (0, 1)
        ],
        "BettiNumberError": ["betti_number_error_0", "betti_number_error_1"],
        "VariationOfInformation": ["voi_split", "voi_merge"],
    }
    for name, expected in names.items():
        assert list(build(name, {})(*masks)) == expected
    assert list(metrics.BettiError(dims=(1,))(*masks)) == ["betti_error_1"]


@pytest.mark.parametrize(("name", "options"), SUMMABLE, ids=str)
def test_results_can_be_plotted(name: str, options: dict[str, Any]) -> None:
    """What compute() returns, and results of several epochs as curves, into axes of the caller."""
    metric = build(name, options)
    epochs = [metric(*batch(seed)) for seed in (1, 2, 3)]
    expected = numbers(metric.compute())
    figure, axes = metric.plot()
    plt.close(figure)
    dots = [float(np.asarray(line.get_ydata())[0]) for line in axes.get_lines()]
    assert dots[: len(expected)] == pytest.approx(expected)
    own = Figure().subplots()
    _, drawn = metric.plot(epochs, own)
    assert drawn is own
    curves = [np.asarray(line.get_ydata()).tolist() for line in own.get_lines()[: len(expected)]]
    assert curves == pytest.approx(np.transpose([numbers(epoch) for epoch in epochs]))


def test_random_patches_differ_between_updates_and_repeat_after_reset() -> None:
    masks = batch(0)
    metric = metrics.BettiError(patches=5, patch_size=9)

    def epoch() -> list[list[float]]:
        metric.reset()
        return [numbers(metric(*masks)) for _ in range(3)]

    first = epoch()
    assert first[0] != first[1] != first[2]
    assert epoch() == first
    assert first[0] == pytest.approx(
        list(metrics.betti_error(*masks, patches=5, patch_size=9)), rel=1e-6
    )
    other = metrics.BettiError(patches=5, patch_size=9, seed=1)
    assert numbers(other(*masks)) != first[0]


def test_forward_counts_the_patches_that_update_counts() -> None:
    """forward() resets the number of updates for a moment; the positions don't go back with it."""
    forwarded, updated, stepwise = (
        metrics.BettiError(patches=5, patch_size=9, dist_sync_on_step=step)
        for step in (False, False, True)
    )
    for seed in range(3):
        forwarded(*batch(seed))
        updated.update(*batch(seed))
        stepwise(*batch(seed))
    assert numbers(forwarded.compute()) == numbers(updated.compute()) == numbers(stepwise.compute())


@pytest.mark.parametrize(
    "option", [{"patch_size": 33}, {"patches": 7}, {"patches": "grid"}, {"patches": "whole"},
               {"seed": 1}, {"connectivity": 4}, {"frame": False}, {"frame": "rim"},
               {"convention": "topomortar"}], ids=str,
)  # fmt: skip
def test_every_option_of_the_betti_class_changes_it_and_is_printed(option: dict[str, Any]) -> None:
    masks = [mask.repeat(1, 2, 2) for mask in batch(4)]
    default, changed = metrics.BettiError(), metrics.BettiError(**option)
    assert numbers(default(*masks)) != numbers(changed(*masks))
    assert str(changed.convention) != str(default.convention)
    assert str(changed.convention) in repr(changed)
    assert str(changed.convention) in str(changed.result())
    expected = metrics.betti_error(*masks, **option)
    assert list(changed.result()) == pytest.approx(list(expected), rel=1e-6)
    assert changed.result().convention == expected.convention


@pytest.mark.parametrize(
    ("name", "option"),
    [("BettiNumberError", {"connectivity": 4}), ("BettiNumberError", {"frame": False}),
     ("AdaptedRandScore", {"connectivity": 4}), ("VariationOfInformation", {"connectivity": 4}),
     ("AdaptedRandScore", {"maximal": True}), ("CldiceScore", {"skeleton": "lee"}),
     ("EulerNumberError", {"connectivity": 4}), ("EulerNumberError", {"frame": "rim"})],
)  # fmt: skip
def test_every_option_of_the_other_classes_changes_them_and_is_printed(
    name: str, option: dict[str, Any]
) -> None:
    default, changed = build(name, {}), build(name, option)
    predicted, truth = batch(5)
    likelihood = torch.where(predicted > 0, 0.4, 0.1) if "maximal" in option else predicted
    assert numbers(default(likelihood, truth)) != numbers(changed(likelihood, truth))
    assert repr(default) != repr(changed)


def test_the_maximal_score_is_that_of_the_best_threshold_for_all_batches() -> None:
    """Not the mean of the batches' own best."""
    truth = torch.zeros(1, 7, 11)
    truth[:, :, 5] = 1
    weak, strong = torch.where(truth > 0, 0.3, 0.1), torch.where(truth > 0, 0.9, 0.1)
    strong[:, :, 8] = 0.6
    metric = metrics.AdaptedRandScore(maximal=True)
    metric.update(weak, truth)
    metric.update(strong, truth)
    together = metrics.adapted_rand_score(torch.cat([weak, strong]), truth.repeat(2, 1, 1),
                                          maximal=True)  # fmt: skip
    assert float(metric.compute()) == pytest.approx(together)
    assert together < 1
    assert float(metrics.AdaptedRandScore()(weak, truth)) < 1


@pytest.mark.parametrize(("name", "options"), SUMMABLE, ids=str)
def test_channels_single_images_and_numpy_are_welcome(name: str, options: dict[str, Any]) -> None:
    predicted, truth = batch(6)
    expected = numbers(build(name, options)(predicted, truth))
    assert numbers(build(name, options)(predicted[:, None], truth[:, None])) == expected
    assert numbers(build(name, options)(predicted.numpy(), truth.bool().numpy())) == expected
    single = build(name, options)
    for image in range(2):
        single.update(predicted[image], truth[image])
    assert numbers(single.compute()) == pytest.approx(expected)


@pytest.mark.parametrize("name", list(FUNCTIONS))
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (2, 5)])
def test_constant_and_thin_images_have_finite_results(name: str, shape: tuple[int, int]) -> None:
    for value in (0, 1):
        constant = torch.full(shape, value)
        perfect = build(name, {})
        target = 1 if perfect.higher_is_better else 0
        assert set(numbers(perfect(constant, constant))) == {target}
        assert np.isfinite(numbers(build(name, {})(1 - constant, constant))).all()


@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_metrics_say_what_torchmetrics_asks(name: str) -> None:
    metric = build(name, {})
    assert isinstance(metric, torchmetrics.Metric)
    assert metric.is_differentiable is False
    assert metric.full_state_update is False
    assert metric.higher_is_better is (name in HIGHER_IS_BETTER)


@pytest.mark.parametrize(("name", "options"), SUMMABLE, ids=str)
def test_copies_pickles_and_merges_keep_the_sums(name: str, options: dict[str, Any]) -> None:
    metric = build(name, options)
    metric.update(*batch(7))
    for twin in (copy.deepcopy(metric), pickle.loads(pickle.dumps(metric))):
        assert numbers(twin.compute()) == numbers(metric.compute())
    rest, both = build(name, options), build(name, options)
    rest.update(*batch(8))
    both.update(*batch(7))
    both.update(*batch(8))
    rest.merge_state(metric)
    assert numbers(rest.compute()) == pytest.approx(numbers(both.compute()))


def test_a_collection_doesnt_take_two_conventions_for_one() -> None:
    """The first batch is perfect: all states are equal, and torchmetrics would merge them."""
    truth = torch.zeros(1, 9, 9, dtype=torch.long)
    truth[:, 4] = 1
    broken = truth.clone()
    broken[:, 4, 4] = 0
    members: dict[str, torchmetrics.Metric | torchmetrics.MetricCollection] = {
        "framed": metrics.BettiError(),
        "plain": metrics.BettiError(frame=False),
        "whole": metrics.BettiNumberError(frame=False),
    }
    collection = torchmetrics.MetricCollection(members)
    collection.update(truth, truth)
    collection.update(broken, truth)
    results = {name: float(value) for name, value in collection.compute().items()}
    assert results["framed_betti_error_0"] == 0
    assert results["plain_betti_error_0"] == 0.5
    assert results["whole_betti_number_error_0"] == 0.5


def test_nothing_seen_is_an_error() -> None:
    for name in FUNCTIONS:
        with (
            pytest.warns(UserWarning, match="before the ``update`` method"),
            pytest.raises(ValueError, match=f"{name} has seen no image: call update"),
        ):
            build(name, {}).compute()


def test_more_than_one_channel_is_refused() -> None:
    with pytest.raises(ValueError, match=r"preds must have one channel, got shape \(2, 3, 4, 5\)"):
        metrics.PixelAccuracy().update(torch.zeros(2, 3, 4, 5), torch.zeros(2, 4, 5))
    with pytest.raises(ValueError, match=r"target must have one channel, got shape \(2, 2, 4, 5\)"):
        metrics.PixelAccuracy().update(torch.zeros(2, 4, 5), torch.zeros(2, 2, 4, 5))


@pytest.mark.parametrize(
    ("name", "options", "error", "sentence"),
    [
        ("BettiError", {"patches": 0}, ValueError, "patches must be at least 1, got 0"),
        ("BettiError", {"convention": "hu"}, ValueError, "convention must be one of 'toponet', "),
        ("BettiNumberError", {"connectivity": 6}, ValueError, "connectivity must be one of 4, 8"),
        ("AdaptedRandScore", {"connectivity": "8"}, TypeError, "the whole number 4 or 8, got '8'"),
        ("AdaptedRandScore", {"maximal": 1}, TypeError, "maximal must be True or False, got 1"),
        ("VariationOfInformation", {"connectivity": 5}, ValueError, "must be one of 4, 8, got 5"),
        ("PixelAccuracy", {"connectivity": 8}, ValueError, "Unexpected keyword arguments"),
    ],
)
def test_bad_options_are_refused_when_built(
    name: str, options: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        build(name, options)


def test_functions_leave_torchmetrics_alone() -> None:
    code = """
import sys
from toponet import metrics
metrics.betti_error([[0, 1]], [[0, 1]])
print("torchmetrics" in sys.modules)
print(metrics.BettiError.__name__, "torchmetrics" in sys.modules)
"""
    output = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert output.split() == ["False", "BettiError", "True"]


def test_what_isnt_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"'toponet.metrics' has no attribute 'BetaError'"):
        _ = metrics.BetaError


class Owner(torch.nn.Module):
    """A model with a metric, as Lightning has it."""

    def __init__(self, metric: torchmetrics.Metric) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 2)
        self.metric = metric


def by_lightning(metric: torchmetrics.Metric) -> None:
    from lightning.fabric.plugins.precision import HalfPrecision

    HalfPrecision("bf16-true").convert_module(Owner(metric))


CASTS: dict[str, Callable[[torchmetrics.Metric], Any]] = {
    "to bfloat16": lambda metric: metric.to(torch.bfloat16),
    "to float16": lambda metric: metric.to("cpu", torch.float16),
    "half": lambda metric: metric.half(),
    "bfloat16 of its model": lambda metric: Owner(metric).bfloat16(),
    "to of its model": lambda metric: Owner(metric).to(torch.bfloat16),
    "set_dtype": lambda metric: metric.set_dtype(torch.float16),
    "Lightning's bf16-true": by_lightning,
}


# 19 thresholds take long, and have the states that one threshold has: one cast will do.
CASTED = [
    (name, options, cast)
    for name, options in SUMMABLE
    for cast in CASTS
    if cast == "to bfloat16" or not options.get("maximal")
]


@pytest.mark.parametrize(("name", "options", "cast"), CASTED, ids=str)
def test_half_precision_leaves_the_sums_alone(
    name: str, options: dict[str, Any], cast: str
) -> None:
    """In bfloat16 a sum of ones stays at 256: what comes after counts for nothing."""
    truth = torch.zeros(260, 7, 11, dtype=torch.long)
    truth[:, :, 5] = 1
    broken = truth.clone()
    broken[:, 3, 5] = 0
    metric = build(name, options)
    CASTS[cast](metric)
    metric.update(broken, truth)
    metric.update(truth, truth)
    CASTS[cast](metric)
    for k in range(5):
        metric.update(broken[k], truth[k])
    wrong, perfect = (np.array(numbers(FUNCTIONS[name](mask[0], truth[0], **options)))
                      for mask in (broken, truth))  # fmt: skip
    mean = (265 * wrong + 260 * perfect) / 525
    assert numbers(metric.compute()) == pytest.approx(mean.tolist(), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_torchs_default_type_decides_nothing(name: str) -> None:
    torch.set_default_dtype(torch.bfloat16)
    try:
        metric = build(name, {})
        metric.update(*batch(20))
        measured = numbers(metric.compute())
    finally:
        torch.set_default_dtype(torch.float32)
    metric = build(name, {})
    metric.update(*batch(20))
    assert measured == numbers(metric.compute())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        *((name, options) for name, options in SUMMABLE if "maximal" not in options),
        ("BettiError", {"patch_size": 20}),
    ],
    ids=str,
)
def test_every_image_counts_the_same_whatever_its_size(name: str, options: dict[str, Any]) -> None:
    """The small image is one patch, the large one many; the evaluator's rule."""
    rng = np.random.default_rng(21)
    images = [rng.random((2, *shape)) < 0.5 for shape in ((12, 14), (90, 70))]
    metric = build(name, options)
    for predicted, truth in images:
        metric.update(predicted, truth)
    each = []
    for update, (predicted, truth) in enumerate(images):
        alone = build(name, options)
        for _ in range(update):  # Random patches are those of the update's number.
            alone.update(predicted, truth, np.zeros(truth.shape))
        alone.update(predicted, truth)
        each.append(numbers(alone.compute()))
    assert each[0] != each[1]
    assert numbers(metric.compute()) == pytest.approx(np.mean(each, axis=0).tolist(), rel=1e-6)


RANDOM = ("BettiError", {"patches": 5, "patch_size": 9})


def shares(rank: int) -> list[tuple[Tensor, Tensor]]:
    """Unequal: one rank has five images in three batches, the other two images in one."""
    return [[batch(10), batch(11), batch(12, images=1)], [batch(13)]][rank]


def measure(rank: int, folder: str) -> None:
    """One of two processes: its own share in, everyone's result out."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2
    )
    results = []
    for name, options in [*SUMMABLE, RANDOM]:
        metric = build(name, options)
        for masks in shares(rank):
            metric.update(*masks)
        results.append(numbers(metric.compute()))
    torch.save(results, f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_give_the_result_of_one(tmp_path: Path) -> None:
    torch.multiprocessing.spawn(  # type: ignore[attr-defined, no-untyped-call]
        measure, args=(str(tmp_path),), nprocs=2
    )
    seen = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    assert seen[0] == seen[1]
    for (name, options), result in zip(SUMMABLE, seen[0], strict=False):
        metric = build(name, options)
        for masks in shares(0) + shares(1):
            metric.update(*masks)
        assert result == pytest.approx(numbers(metric.compute()), rel=1e-5)
    # Positions go by the number of updates on each rank.
    ranks = [build(*RANDOM), build(*RANDOM)]
    for rank, metric in enumerate(ranks):
        for masks in shares(rank):
            metric.update(*masks)
    ranks[0].merge_state(ranks[1])
    assert seen[0][-1] == pytest.approx(numbers(ranks[0].compute()))


def test_a_process_without_images_counts_for_nothing() -> None:
    """As an idle rank adds: its sums are zero."""
    metric, idle = metrics.BettiNumberError(), metrics.BettiNumberError()
    metric.update(*batch(9))
    alone = numbers(metric.compute())
    metric.merge_state(idle)
    assert numbers(metric.compute()) == alone


def test_random_numbers_of_others_are_left_alone() -> None:
    """Positions come from a generator of their own."""
    np.random.seed(0)  # noqa: NPY002
    torch.manual_seed(0)
    state: NDArray[Any] = np.random.get_state()[1]  # type: ignore[index]  # noqa: NPY002
    before = state.copy(), torch.get_rng_state()
    metrics.BettiError(patches=5, patch_size=9)(*batch(0))
    np.testing.assert_array_equal(np.random.get_state()[1], before[0])  # type: ignore[index]  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before[1])


@pytest.mark.parametrize(("name", "options"), SUMMABLE)
def test_torchs_default_device_does_not_reach_into_a_metric(
    name: str, options: dict[str, Any]
) -> None:
    """A metric on the CPU stays there, wherever new tensors would lie."""
    preds, target = batch(1)
    expected, metric = build(name, options), build(name, options)
    expected.update(preds, target)
    with torch.device("meta"):
        metric.update(preds, target)
        found = numbers(metric.compute())
        metric.reset()
        metric(preds, target)
    assert found == numbers(expected.compute()) == numbers(metric.compute())
