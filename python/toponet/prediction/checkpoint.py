"""Checkpoints. They are written whole or not at all. Loading one runs no code from it."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from toponet._ground.reading import check_regular
from toponet._ground.validation import check_flag, check_number, check_whole
from toponet._ground.writing import written_whole
from toponet.data.training_scale import TrainingScale
from toponet.topology.segmentation import SegmentationOptions

FORMAT = 1
REQUIRED = {
    "epoch", "model", "optimiser", "state", "normalisation", "training_scale", "metrics", "config",
}  # fmt: skip

# Options of a training run that a prediction reads. Checkpoints of older versions may lack some.
_OPTIONS: dict[str, type] = {
    "data": str, "network": str, "folds": int, "fold": int, "seed": int, "connectivity": int,
}  # fmt: skip


def save_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """Writes a checkpoint. After an error, the checkpoint that was there before is still whole.

    Raises:
        OSError: If it can't be written. The sentence names the file.
    """
    # torch writes to memory: on a full disk it would raise a RuntimeError about its own source.
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, **content}, buffer)
    with written_whole(path) as file:
        file.write(buffer.getbuffer())


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Loads tensors and plain values (``weights_only=True``) to the CPU.

    Raises:
        ValueError: If the file isn't a checkpoint of this package, or a part of it is damaged. The
            sentence names file and part.
    """
    if not path.exists():
        raise ValueError(f"{path} does not exist; expected a checkpoint")
    check_regular(path)
    _check_sums(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # Whatever a file that isn't one makes of torch's reader.
        content = None
    if not isinstance(content, dict) or repr(content.get("format")) != repr(FORMAT):
        raise ValueError(f"{path} is not a checkpoint of toponet-train (format {FORMAT})")
    missing = sorted(REQUIRED - set(content))
    if missing:
        raise ValueError(f"{path} is not a whole checkpoint: it lacks {', '.join(missing)}")
    try:
        _check_parts(content)
    except (TypeError, ValueError) as error:
        raise damaged(path, error) from None
    return content


def chosen_options(content: dict[str, Any]) -> SegmentationOptions | None:
    """Threshold, keep and add that training chose; None = it chose none.

    Checkpoints have them from the end of the training on. Those of older versions never do.

    Raises:
        TypeError: If there is something else in their place.
        ValueError: If one of them is missing or out of range.
    """
    choice = content.get("segmentation")
    if choice is None:
        return None
    plain = choice.get("options") if isinstance(choice, dict) else None
    names = [field.name for field in fields(SegmentationOptions)]
    if not isinstance(plain, dict) or set(plain) != set(names):
        raise TypeError(f"segmentation must hold options {', '.join(names)}, got {choice!r:.60}")
    try:
        return SegmentationOptions(**plain)
    except (TypeError, ValueError) as error:
        raise type(error)(f"segmentation: {error}") from None


def damaged(path: Path, error: Exception) -> ValueError:
    """Makes an error of what the check of one part says."""
    return ValueError(f"{path} is damaged: {error}")


def restore_network(path: Path, content: dict[str, Any], network: nn.Module) -> None:
    """Loads the weights into the network.

    Raises:
        ValueError: If the weights belong to another network or aren't finite. The sentence names
            the file.
    """
    expected, state = network.state_dict(), content["model"]
    if state.keys() != expected.keys() or any(
        isinstance(state[name], Tensor) and state[name].shape != tensor.shape
        for name, tensor in expected.items()
    ):
        raise ValueError(f"{path} holds the weights of another network")
    for name, tensor in expected.items():
        try:
            _check_tensor(f"model: {name}", state[name], like=tensor)
        except (TypeError, ValueError) as error:
            raise damaged(path, error) from None
    network.load_state_dict(state)


def restore_optimiser(path: Path, content: dict[str, Any], optimiser: Optimizer) -> None:
    """Loads the state of Adam: moments and step counts of all parameters. A new one has none.

    Raises:
        ValueError: If the state belongs to another network or is damaged. The sentence names the
            file.
    """
    try:
        _check_adam(content["optimiser"], optimiser)
    except (TypeError, ValueError) as error:
        raise damaged(path, error) from None
    optimiser.load_state_dict(content["optimiser"])


def _check_sums(path: Path) -> None:
    """Compares each part of the file with its checksum, which torch writes but never reads.

    Raises:
        ValueError: If torch can't have written the file, or a byte of it has changed since.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            wrong = archive.testzip()
    except OSError:
        raise
    except Exception:  # A damaged directory of a zip file makes errors of all kinds.
        raise ValueError(
            f"{path} is not a checkpoint of toponet-train (format {FORMAT}), or is cut off"
        ) from None
    if wrong is not None:
        raise ValueError(
            f"{path} is damaged: the checksum of its part {_part_name(path, wrong)} is wrong; take "
            "another checkpoint, or a copy of this one"
        )


def _part_name(path: Path, member: str) -> str:
    """Returns the name of the tensor whose numbers a member of the zip file holds, if possible."""
    numbered = re.fullmatch(r".*/data/(\d+)", member)
    if not numbered:
        return member
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # Whatever a damaged file makes of torch's reader.
        return member
    # torch numbers storages in the order in which it first meets them.
    first: dict[int, str] = {}
    for name, tensor in _named_tensors(content):
        first.setdefault(tensor.untyped_storage()._cdata, name)
    names = list(first.values())
    number = int(numbered[1])
    return names[number] if number < len(names) else member


def _named_tensors(content: object, name: str = "") -> Iterator[tuple[str, Tensor]]:
    """Yields all tensors in nested dictionaries and lists, depth first."""
    if isinstance(content, Tensor):
        yield name, content
    elif isinstance(content, (dict, list, tuple)):
        items = content.items() if isinstance(content, dict) else enumerate(content)
        for key, value in items:
            yield from _named_tensors(value, f"{name}: {key}" if name else str(key))


def _check_parts(content: dict[str, Any]) -> None:
    """Checks what holds for all networks. Loading the network checks the rest."""
    check_whole("epoch", content["epoch"], least=0)
    for name in sorted(REQUIRED - {"epoch"}):
        part = content[name]
        if not isinstance(part, dict) or not all(isinstance(key, str) for key in part):
            raise TypeError(f"{name} must hold values by name, got {part!r:.60}")
    if "threshold" in content:
        threshold = check_number("threshold", content["threshold"])
        if not 0 < threshold <= 1:
            raise ValueError(f"threshold must be above 0 and at most 1, got {threshold}")
    chosen_options(content)
    for name, value in content["metrics"].items():
        check_number(f"metrics: {name}", value)
    config = content["config"]
    for name in _OPTIONS.keys() & config.keys():
        kind = _OPTIONS[name]
        if type(config[name]) is not kind:
            raise TypeError(f"config: {name} must be {kind.__name__}, got {config[name]!r:.60}")
    _check_normalisation(content["normalisation"])
    _check_scale(content["training_scale"], len(content["normalisation"]["mean"]))


def _check_normalisation(plain: dict[str, Any]) -> None:
    """Checks mean and deviation of each channel, and the flag of normalisation per image."""
    check_flag("normalisation: per_image", plain.get("per_image"))
    for name in ("mean", "std"):
        values = plain.get(name)
        if not isinstance(values, (tuple, list)) or not values:
            raise TypeError(f"normalisation: {name} must be numbers, got {values!r:.60}")
        for value in values:
            check_number(f"normalisation: {name}", value)
    if len(plain["mean"]) != len(plain["std"]) or min(plain["std"]) <= 0:
        raise ValueError(
            f"normalisation must have a deviation above 0 for each mean, got {plain['std']!r:.60}"
        )


def _check_scale(plain: dict[str, Any], channels: int) -> None:
    """Checks the ranges of the training images' grey values."""
    names = [field.name for field in fields(TrainingScale)]
    if sorted(plain) != sorted(names):
        raise ValueError(f"training_scale must hold {', '.join(names)}, got {plain!r:.60}")
    if len(TrainingScale(**plain).means) != channels:
        raise ValueError(f"training_scale must have means of {channels} channel(s)")


def _check_tensor(name: str, value: object, like: Tensor) -> None:
    """Raises TypeError or ValueError unless a finite tensor of that shape and dtype."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} must be a tensor, got {value!r:.60}")
    if value.layout != torch.strided or value.device.type != "cpu" or value.is_quantized:
        raise TypeError(f"{name} must be a plain tensor, got {value.layout} on {value.device}")
    if value.shape != like.shape or value.dtype != like.dtype:
        raise ValueError(
            f"{name} must be {like.dtype} of shape {tuple(like.shape)}, got {value.dtype} of shape "
            f"{tuple(value.shape)}"
        )
    if not bool(torch.isfinite(value).all()):
        raise ValueError(f"{name} holds NaN or infinity")


def _check_adam(plain: dict[str, Any], optimiser: Optimizer) -> None:
    """Checks that this is the state of an optimiser like this one."""
    fresh = optimiser.state_dict()
    _check_groups(plain.get("param_groups"), fresh["param_groups"])
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    moments = plain.get("state")
    if not isinstance(moments, dict) or set(moments) not in (set(), set(range(len(parameters)))):
        raise ValueError(
            f"optimiser: state must have an entry for each of {len(parameters)} parameters, or none"
        )
    for k, entry in moments.items():
        name = f"optimiser: state: {k}"
        expected = {"step", "exp_avg", "exp_avg_sq"}
        if not isinstance(entry, dict) or set(entry) != expected:
            raise ValueError(f"{name} must hold {', '.join(sorted(expected))}, got {entry!r:.60}")
        _check_tensor(f"{name}: step", entry["step"], like=torch.zeros(()))
        for moment in ("exp_avg", "exp_avg_sq"):
            _check_tensor(f"{name}: {moment}", entry[moment], like=parameters[k])
        for part in ("step", "exp_avg_sq"):
            if bool((entry[part] < 0).any()):
                raise ValueError(f"{name}: {part} must be at least 0")


def _check_groups(groups: object, fresh: list[dict[str, Any]]) -> None:
    """Checks that the options are a new optimiser's. Only the learning rate may differ."""
    if not isinstance(groups, list) or len(groups) != len(fresh):
        raise TypeError(
            f"optimiser: param_groups must be {len(fresh)} group(s), got {groups!r:.60}"
        )
    for group, expected in zip(groups, fresh, strict=True):
        if not isinstance(group, dict):
            raise TypeError(f"optimiser: param_groups must hold groups, got {group!r:.60}")
        check_number("optimiser: param_groups: lr", group.get("lr"), least=0)
        # Each version of torch has options of its own. These are common to all and must be equal.
        for name in ("params", "betas", "eps", "weight_decay", "amsgrad", "maximize"):
            # Their text is compared, because True == 1 and a tensor has no such equality.
            if repr(group.get(name)) != repr(expected.get(name)):
                raise ValueError(
                    f"optimiser: param_groups: {name} must be {expected.get(name)!r:.60}, got "
                    f"{group.get(name)!r:.60}"
                )
