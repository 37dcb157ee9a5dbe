"""Input that no loss should take: one clear sentence, no crash, nothing silent."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

import toponet
from toponet import PersistenceDiagrams, TopologicalLoss, TopoNetLoss, _core
from toponet.losses.binary_loss import LossOptions

X = torch.rand((1, 1, 8, 8), generator=torch.Generator().manual_seed(0))
Y = (X > 0.5).float()
NAN, INF = float("nan"), float("inf")


def call_kernel(shape: tuple[int, ...], boxes: Any, **changed: Any) -> Any:
    images = np.zeros(shape, dtype=np.float32)
    arguments: dict[str, Any] = {
        "masks": np.zeros(shape, dtype=np.uint8),
        "dots": None,
        "boxes": np.array(boxes, dtype=np.int64).reshape(-1, 4),
        "patch_weights": np.ones(np.array(boxes).size // 4),
        "patches_overlap": False,
        "dimensions": (True, True),
        "dimension_weights": (1.0, 1.0),
        "connectivity": 8,
        "frame": True,
        "matching": "complete",
        "min_persistence": 0.0,
        "unmatched_weight": 1.0,
        "in_place_weight": "persistence",
        "in_place_extremes": False,
        "num_threads": 1,
        "gradient": images.copy(),
    }
    return _core.binary_topological_loss(images, **{**arguments, **changed})


@pytest.mark.parametrize(
    ("shape", "boxes", "changed"),
    [
        ((0, 4, 4), [], {}),
        ((2, 4, 4), [], {"patches_overlap": True}),
        ((2, 4, 4), [], {}),
        ((1, 0, 4), [[0, 0, 0, 4]], {}),
        ((1, 4, 4), [[2**40, 0, 2**63 - 2**40, 4]], {}),
        ((1, 4, 4), [[1, 0, 2**63 - 1, 4]], {}),
        ((1, 4, 4), [[0, 2**40, 4, 2**63 - 2**40]], {}),
        ((1, 4, 4), [[0, 0, 2, 4]], {}),
        ((1, 4, 4), [[0, 0, 4, 4]], {"gradient": np.zeros((4, 1, 4), np.float32)}),
        ((1, 4, 4), [[0, 0, 4, 4]], {"masks": None, "dots": np.array([[-5.0, 0, 0]])}),
        ((1, 4, 4), [[0, 0, 4, 4]], {"masks": None, "dots": np.array([[NAN, 0, 0]])}),
        ((1, 4, 4), [[0, 0, 4, 4]], {"masks": None, "dots": np.array([[1e300, 0, 0]])}),
        (
            (1, 4, 4),
            [[0, 0, 4, 4]],
            {"masks": None, "dots": np.zeros((1, 3)), "matching": "in_place"},
        ),
        ((1, 4, 4), [[0, 0, 4, 4]], {"patch_weights": np.ones(2)}),
        ((1, 4, 4), [[0, 0, 4, 4]], {"masks": np.zeros((1, 4, 3), np.uint8)}),
    ],
    ids=str,
)
def test_the_kernel_refuses_what_would_crash_it(
    shape: tuple[int, ...], boxes: Any, changed: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="expected"):
        call_kernel(shape, boxes, **changed)


@pytest.mark.parametrize("shape", [(2, 0, 4), (2, 4, 0), (1, 0, 0)])
@pytest.mark.parametrize("algorithm", ["union_find", "reduction"])
def test_the_kernel_refuses_images_without_pixels(shape: tuple[int, ...], algorithm: str) -> None:
    with pytest.raises(ValueError, match="expected images with pixels"):
        _core.persistence(
            np.zeros(shape),
            dimensions=(True, True),
            connectivity=8,
            frame=False,
            frame_value=1.0,
            algorithm=algorithm,
            num_threads=1,
        )


def diagrams(values: Any, dimensions: Any, splits: Any = None) -> PersistenceDiagrams:
    count = len(values)
    return PersistenceDiagrams(
        np.array(values, dtype=float),
        np.full((count, 2), -1, dtype=np.int32),
        np.array(dimensions, dtype=np.int8),
        np.array(splits or [0, count]),
    )


@pytest.mark.parametrize("frame", [True, False])
@pytest.mark.parametrize("method", ["forward", "explain"])
@pytest.mark.parametrize(
    "targets",
    [
        diagrams([[1, 0], [1, NAN]], [1, 1]),
        diagrams([[1, INF]], [0]),
        diagrams([[255, 0]], [1]),
        diagrams([[1, -0.5]], [1]),
        diagrams([[1, 0]], [7]),
        diagrams([[NAN, -INF]], [0]),
        diagrams([[0, 1]], [1]),
    ],
    ids=lambda d: str(d.values.tolist()),
)
def test_diagrams_of_nothing_are_refused(
    targets: PersistenceDiagrams, method: str, frame: bool
) -> None:
    with pytest.raises(ValueError, match="target_diagrams"):
        getattr(TopologicalLoss(frame=frame), method)(X, target_diagrams=targets)


def test_splits_that_go_back_are_refused() -> None:
    targets = diagrams([[1, 0]] * 3, [1] * 3, [0, 5, 3])
    with pytest.raises(ValueError, match="splits must not decrease"):
        TopologicalLoss()(torch.rand(2, 1, 8, 8), target_diagrams=targets)


@pytest.mark.parametrize("shift", [-5.0, 5.0, NAN])
@pytest.mark.parametrize("frame", [True, False])
def test_likelihoods_are_checked_whatever_the_target(shift: float, frame: bool) -> None:
    loss = TopologicalLoss(frame=frame)
    kept = loss.target_diagrams(X)  # Soft: the general route.
    with pytest.raises(ValueError, match=r"likelihood must hold probabilities in \[0, 1\]"):
        loss(X + shift, target_diagrams=kept)


def test_a_likelihood_just_above_1_is_shown_with_enough_digits() -> None:
    with pytest.raises(ValueError, match=r"got 1\.00000072"):
        TopologicalLoss()(torch.full((1, 3, 3), 1 + 7.2e-7), torch.zeros(1, 3, 3))


@pytest.mark.parametrize(
    ("target", "error", "sentence"),
    [
        (X * 255, ValueError, r"values in \[0, 1\], got values from"),
        (X - 5, ValueError, r"values in \[0, 1\]"),
        (X * NAN, ValueError, r"values in \[0, 1\]"),
        (X.to(torch.complex64), TypeError, "target must hold real numbers"),
    ],
)
@pytest.mark.parametrize("frame", [True, False])
def test_targets_to_keep_lie_in_0_1(
    target: Tensor, error: type[Exception], sentence: str, frame: bool
) -> None:
    with pytest.raises(error, match=sentence):
        TopologicalLoss(frame=frame).target_diagrams(target)


@pytest.mark.parametrize("value", [NAN, 0.5, -1.0, 255.0])
def test_valid_holds_0_and_1(value: float) -> None:
    with pytest.raises(ValueError, match="valid must hold only 0 and 1"):
        TopologicalLoss()(X, Y, valid=torch.full((1, 8, 8), value))


@pytest.mark.parametrize(
    ("spoil", "error", "sentence"),
    [
        (lambda t: t.to_sparse(), TypeError, "must be a dense tensor, got a torch.sparse_coo"),
        (lambda t: t.to("meta"), ValueError, "must hold values, got a tensor on the meta device"),
        (lambda t: torch.nested.nested_tensor([t[0]]), TypeError, "dense tensor, got a nested one"),
        (lambda t: t.to(torch.complex64), TypeError, "must hold real numbers, got torch.complex64"),
        (
            lambda t: torch.quantize_per_tensor(t, 0.5, 0, torch.quint8),
            TypeError,
            "must be a dense tensor, got a torch.strided torch.quint8",
        ),
    ],
)
@pytest.mark.parametrize("name", ["likelihood", "target", "valid"])
@pytest.mark.filterwarnings("ignore:.*nested tensors.*:UserWarning")
@pytest.mark.filterwarnings("ignore:.*quantize.*", "ignore:.*ComplexHalf.*")
def test_tensors_of_odd_kinds_are_refused(
    name: str, spoil: Any, error: type[Exception], sentence: str
) -> None:
    tensors = {"likelihood": X, "target": Y, "valid": torch.ones_like(Y)}
    tensors[name] = spoil(tensors[name])
    with pytest.raises(error, match=f"{name} {sentence}|{sentence}"):
        TopologicalLoss()(tensors["likelihood"], tensors["target"], valid=tensors["valid"])


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2])
def test_eight_bits_are_a_floating_point_type_too(dtype: torch.dtype) -> None:
    low = X.to(dtype)
    valid = torch.ones(1, 8, 8)
    expected = TopologicalLoss()(low.float(), Y)
    assert TopologicalLoss()(low, Y) == TopologicalLoss()(low, Y, valid=valid) == expected


def test_negated_views_are_read_as_they_are() -> None:
    view = torch.complex(torch.zeros_like(X), -X).conj().imag
    assert view.is_neg()
    assert TopologicalLoss()(view, Y) == TopologicalLoss()(X, Y)


def test_each_channel_may_hold_nan_where_it_does_not_count() -> None:
    f = torch.rand((1, 2, 8, 8), generator=torch.Generator().manual_seed(1))
    g = (f > 0.5).float()
    valid = torch.ones(1, 2, 8, 8)
    valid[:, 1, :3] = 0
    wild = f.clone()
    wild[:, 1, :3] = NAN
    wild_target = g.clone()
    wild_target[:, 1, :3] = NAN
    for loss in (TopologicalLoss(sigmoid=True), TopoNetLoss()):
        x = wild.clone().requires_grad_()
        value = loss(x, wild_target, valid=valid)
        value.backward()
        assert value.item() == loss(f, g, valid=valid).item()
        assert x.grad is not None
        assert torch.isfinite(x.grad).all()
        assert (x.grad[:, 1, :3] == 0).all()


def test_the_whole_target_of_the_total_loss_is_checked() -> None:
    """Also where the topological term gets diagrams, or looks at some of the pixels only."""
    kept = TopologicalLoss().target_diagrams(Y)
    with pytest.raises(ValueError, match=r"target must hold only 0 and 1, got 5\.0"):
        TopoNetLoss()(X, Y * 5, target_diagrams=kept)
    some = TopoNetLoss(patch_size=2, patches="random")
    with pytest.raises(ValueError, match="target must hold only 0 and 1"):
        some(X, Y * 5)
    logits = torch.randn(1, 3, 8, 8)
    masks = torch.nn.functional.one_hot(torch.randint(3, (1, 8, 8)), 3).movedim(-1, 1)
    by_class = TopoNetLoss(softmax=True, include_background=False)
    by_class(logits, masks)
    masks[0, 0, 0, 0] = 7
    with pytest.raises(ValueError, match="target must hold only 0 and 1, got 7"):
        by_class(logits, masks)
    for both in (torch.ones(1, 3, 8, 8), torch.zeros(1, 3, 8, 8)):
        with pytest.raises(ValueError, match=r"one class .* 64 pixels have none or several"):
            TopoNetLoss(softmax=True)(logits, both)


def test_numpys_false_is_no_activation_less() -> None:
    options: dict[str, Any] = {"softmax": np.False_}
    assert TopoNetLoss(**options)(X, Y) == TopoNetLoss()(X, Y)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64])
def test_numpy_numbers_as_sizes_do_not_overflow(dtype: Any) -> None:
    likelihood = torch.rand((2, 1, 150, 140), generator=torch.Generator().manual_seed(2))
    target = (likelihood > 0.5).float()
    expected = TopologicalLoss(patch_size=65)(likelihood, target)
    assert TopologicalLoss(patch_size=dtype(65))(likelihood, target) == expected
    many = TopologicalLoss(patch_size=9, patches="random", patches_per_image=dtype(100))
    assert many(likelihood, target) > 0
    mask = target[0, 0].numpy()
    numbers = [
        toponet.metrics.betti_error(mask, mask.T[:140].T, patch_size=size)[1]
        for size in (65, dtype(65))
    ]
    assert numbers[0] == numbers[1]


def test_iterators_are_not_dims() -> None:
    with pytest.raises(TypeError, match="dims must be a sequence"):
        TopologicalLoss(dims=iter([1]))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="dim_weights must be a sequence"):
        TopologicalLoss(dim_weights={0: 1, 1: 2})  # type: ignore[arg-type]


def test_arrays_are_no_choices() -> None:
    with pytest.raises(ValueError, match="matching must be one of"):
        TopologicalLoss(matching=np.array(["a", "b"]))  # type: ignore[arg-type]


def test_subclasses_print_and_only_what_was_chosen() -> None:
    class Mine(TopologicalLoss):
        def __init__(self, alpha: float) -> None:
            super().__init__(dims=(1,))
            self.alpha = alpha

    assert "dims=(1,)" in repr(Mine(3.0))
    assert "patch" not in repr(TopologicalLoss())
    assert "patches_per_image=3" in repr(
        TopologicalLoss(patch_size=9, patches="random", patches_per_image=3)
    )


def test_numbers_whose_squares_overflow_are_no_dots() -> None:
    with pytest.raises(ValueError, match="must hold numbers up to 1e"):
        toponet.match([[1e200, 0]], [[1, 0]])


@pytest.mark.parametrize(
    ("values", "error", "sentence"),
    [
        (torch.zeros(1, 2, requires_grad=True), TypeError, "of a tensor take tensor.detach"),
        ([[1, 0], [1]], ValueError, "must be an array: its rows differ in length"),
        (toponet.persistence(X[0, 0].numpy()), TypeError, r"take diagrams\[i, d\]\.values"),
    ],
)
def test_what_is_no_array_is_not_matched(
    values: Any, error: type[Exception], sentence: str
) -> None:
    for given in ((values, [[1, 0]]), ([[1, 0]], values)):
        with pytest.raises(error, match=sentence):
            toponet.match(*given)


def test_a_mistake_in_dots_gets_the_same_sentence_from_all_that_take_dots() -> None:
    """The check is written once, for matchings and for diagrams of other libraries."""
    wrong: list[Any] = [
        [[0.2, 0.9]], [[np.nan, 0.0]], [[1.0, np.inf]], np.zeros((2, 3)), [[1, 0], [1]],
        [["a", "b"]], np.ma.masked_equal([[1, 0]], 0), torch.zeros(1, 2, requires_grad=True),
    ]  # fmt: skip
    for dots in wrong:
        with pytest.raises((TypeError, ValueError)) as matched:
            toponet.match(dots, [])
        with pytest.raises(matched.type) as exchanged:
            toponet.PersistenceDiagrams.from_scikit_tda([[dots]], negated=False)
        sentences = (str(matched.value), str(exchanged.value).replace("diagrams[0][0]", "values_f"))
        assert sentences[0] == sentences[1]


def test_the_options_of_a_patch_check_themselves_whoever_makes_them() -> None:
    """The kernel's own benchmarks make them without the class of the loss."""
    assert LossOptions([1], dim_weights=[2, 3]) == LossOptions((1,), dim_weights=(2.0, 3.0))
    for wrong, sentence in (
        ({"dims": (2,)}, "dims must be"),
        ({"connectivity": 6}, "connectivity must be"),
        ({"matching": "best"}, "matching must be one of 'complete'"),
        ({"min_persistence": -1}, "min_persistence must be at least 0"),
        ({"dim_weights": (1.0,)}, "dim_weights must hold 2 numbers"),
        ({"num_threads": 0}, "num_threads must be at least 1"),
    ):
        with pytest.raises(ValueError, match=sentence):
            LossOptions(**cast("Any", wrong))
    with pytest.raises(TypeError, match="frame must be True or False"):
        LossOptions(frame=cast("Any", 1))


def test_explanations_know_their_words() -> None:
    (explanation,) = TopologicalLoss().explain(X, Y)
    with pytest.raises(ValueError, match="fate must be one of 'matched'"):
        explanation.count("match", 0)
    with pytest.raises(ValueError, match="dimension must be one of 0, 1, got 2"):
        explanation.count("matched", 2)
    with pytest.raises(ValueError, match="dimension must be one of 0, 1, got 7"):
        explanation.share(7)


def test_what_load_would_refuse_is_not_saved(tmp_path: Any) -> None:
    with pytest.raises(ValueError, match="birth >= death"):
        diagrams([[0, 1]], [0]).save(tmp_path / "x.npz")
    assert not (tmp_path / "x.npz").exists()


@pytest.mark.parametrize("shape", [(9, 8, 1), (9, 8, 3), (5, 5, 4)], ids=str)
def test_images_with_channels_last_are_not_taken_for_a_batch_of_columns(
    shape: tuple[int, int, int],
) -> None:
    """As metrics and ``persistence`` refuse them; a channel axis says that columns are meant."""
    likelihood = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    target = (likelihood > 0.5).float()
    with pytest.raises(ValueError, match=r"looks like channels last: likelihood\.permute\(2, 0, 1"):
        TopologicalLoss()(likelihood, target)
    assert torch.isfinite(TopologicalLoss()(likelihood[:, None], target[:, None]))


@pytest.mark.parametrize("shape", [(4, 8, 1), (9, 4, 3), (9, 8, 5), (2, 1, 1)], ids=str)
def test_batches_that_can_be_meant_are_taken(shape: tuple[int, int, int]) -> None:
    assert torch.isfinite(TopologicalLoss()(torch.full(shape, 0.5), torch.ones(shape)))
