"""An earlier study that a new one must not fall short of."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from detectattn.compare.gate_values import format_apart, format_value, model_entry, number, section
from detectattn.compare.report_file import load_report_json
from detectattn.compare.same_conditions import (
    MAX_MORE_MEMORY,
    MAX_SLOWER,
    find_noise,
    find_other_conditions,
    find_other_run,
)
from detectattn.errors import ConfigError
from detectattn.fetch import redact_url
from detectattn.figures import format_interval
from detectattn.report.content import Gate
from detectattn.results import PairedDifference

_HINT = "Name the report.json of an earlier study"


def load_baseline(path: str | Path) -> Mapping[str, Any]:
    """The content of an earlier study's ``report.json``.

    Raises:
        ConfigError: It is missing, broken (the message names the line), of a later version, or no study.
    """
    if "://" in str(path):
        raise ConfigError(
            f"--baseline {redact_url(str(path))} is an address",
            hint="Copy that report.json to this machine, and name the copy",
        )
    path = Path(path)
    if path.is_dir():
        raise ConfigError(f"--baseline {path} is a folder", hint=f"Name its report: {path / 'report.json'}")
    return load_report_json(path, f"--baseline {path}", _HINT)


def judge_baseline(
    baseline_json: Mapping[str, Any],
    report_json: Mapping[str, Any],
    paired: Mapping[str, PairedDifference] | None = None,
) -> tuple[Gate, ...]:
    """Hold a study against an earlier one, model by model.

    Accuracy must not have fallen: where the paired bootstrap on the same images decides that it did or, without the
    earlier records, where AP lies below the earlier interval. The median time must not be more than 5% longer, with
    intervals apart. Peak memory must not be more than 10% higher. A model must not be missing, nor have failed. What
    cannot be compared does not fail, and its gate says why; but accuracy that was known then must be known now.

    Args:
        baseline_json: The content of the earlier ``report.json``.
        report_json: That of the new one.
        paired: AP of now less AP of then on the same images, by model, where the earlier records are at hand.
    """
    models = section(baseline_json, "models")
    return tuple(gate for name in models for gate in _judge_model(name, baseline_json, report_json, paired or {}))


def _judge_model(
    name: str, baseline: Mapping[str, Any], report: Mapping[str, Any], paired: Mapping[str, PairedDifference]
) -> Iterator[Gate]:
    then, now = model_entry(baseline, name) or {}, model_entry(report, name)
    there = f"baseline: {name} is there"
    if then.get("status") != "finished":
        yield Gate(there, False, f"{name} is not compared: it had not finished in the baseline.")
    elif now is None and then.get("base", name) != name:
        yield Gate(there, False, f"{name} is not compared: this study has no such variant of {then.get('base')}.")
    elif now is None:
        yield Gate(there, True, f"{name} is in the baseline and missing from this study.")
    elif now.get("status") != "finished":
        why = now.get("error") or "it has not finished"
        yield Gate(there, True, f"{name} finished in the baseline and failed in this study: {why}.")
    else:
        yield _judge_accuracy(name, then, now, paired.get(name))
        if then.get("kind") != "predictions":
            yield _judge_time(name, baseline, report, then, now)
            yield _judge_memory(name, then, now)


def _judge_accuracy(
    name: str, then: Mapping[str, Any], now: Mapping[str, Any], paired: PairedDifference | None
) -> Gate:
    condition = f"baseline: the accuracy of {name} has not fallen"
    before, after = section(then, "accuracy"), section(now, "accuracy")
    old, new = number(before.get("ap50_95")), number(after.get("ap50_95"))
    if old is None:
        return Gate(condition, False, f"The accuracy of {name} is not compared: the baseline has none.")
    if new is None:
        shown = format_value(old, "")
        return Gate(
            condition,
            True,
            f"{name} had AP {shown} in the baseline and has none here: there is no ground truth for it.",
        )
    if paired is not None and math.isfinite(paired.difference):
        return _judge_paired(condition, name, paired)
    begins = [number(entry.get("scores_from")) for entry in (then, now)]
    if None not in begins and begins[0] != begins[1]:
        reason = f"its records began at score {begins[0]:.3g} then, and begin at {begins[1]:.3g} now"
        return Gate(condition, False, f"The accuracy of {name} is not compared: {reason}.")
    for figure, what in (("image_count", "images"), ("object_count", "objects")):
        if before.get(figure) != after.get(figure):
            counts = f"{before.get(figure)} {what} then, {after.get(figure)} now"
            return Gate(condition, False, f"The accuracy of {name} is not compared: other images ({counts}).")
    return _judge_interval(condition, name, (old, new), number(before.get("ap50_95_low")))


def _judge_paired(condition: str, name: str, paired: PairedDifference) -> Gate:
    """By the difference on the same images, now less then."""
    new, old = format_apart(paired.value_a, paired.value_b, "")
    if paired.difference == 0:
        return Gate(condition, False, f"{name} has AP {new}, as in the baseline.")
    fell = paired.difference < 0
    by = format_apart(abs(paired.difference), 0.0, "")[0]
    interval = format_interval(*((-paired.high, -paired.low) if fell else (paired.low, paired.high)))
    doubt = "" if paired.decided else f", which {_these_images(paired.images)} not decide"
    text = f"{name} has AP {new}, {old} in the baseline: {by} {'less' if fell else 'more'} ({interval}){doubt}."
    return Gate(condition, fell and paired.decided, text)


def _judge_interval(condition: str, name: str, old_new: tuple[float, float], low: float | None) -> Gate:
    """By the interval of the baseline's own AP, which is wider than that of a paired difference."""
    old, new = format_apart(*old_new, "")
    compared = f"{name} has AP {new}, {old} in the baseline"
    if low is None:
        return Gate(condition, False, f"{compared}, whose images are too few to say whether that is less.")
    failed = old_new[1] < low
    where = "below" if failed else "not below"
    end = format_apart(old_new[1], low, "")[1]
    return Gate(condition, failed, f"{compared}, {where} the lower end of its interval, {end}.")


def _judge_time(
    name: str,
    baseline: Mapping[str, Any],
    report: Mapping[str, Any],
    then: Mapping[str, Any],
    now: Mapping[str, Any],
) -> Gate:
    condition = f"baseline: {name} has not become slower"
    before, after = section(then, "speed"), section(now, "speed")
    old, new = number(before.get("p50_ms")), number(after.get("p50_ms"))
    reason = (
        _find_untimed(old, new)
        or find_other_conditions(baseline, report, then, now)
        or find_noise(before, "the baseline's timings")
        or find_noise(after, "its timings")
    )
    if old is None or new is None or reason is not None:
        return Gate(condition, False, f"The time of {name} is not compared: {reason}.")
    high, low = number(before.get("p50_high_ms")), number(after.get("p50_low_ms"))
    if high is None or low is None:
        return Gate(condition, False, f"The time of {name} is not compared: too few rounds for an interval.")
    failed = new > (1 + MAX_SLOWER) * old and low > high
    shown_new, shown_old = format_apart(new, old, "ms")
    bound = (
        f"more than {MAX_SLOWER:.0%} longer, with intervals apart" if failed else _describe_change(new, old, "longer")
    )
    return Gate(condition, failed, f"{name} takes {shown_new} an image, {shown_old} in the baseline: {bound}.")


def _judge_memory(name: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> Gate:
    """By the device's memory where it has its own, else by the process's."""
    condition = f"baseline: {name} does not take more memory"
    before, after = section(then, "memory"), section(now, "memory")
    on_device = number(before.get("peak_device_mb")) is not None and number(after.get("peak_device_mb")) is not None
    figure = "peak_device_mb" if on_device else "peak_rss_mb"
    old, new = number(before.get(figure)), number(after.get(figure))
    reason = _find_untimed(old, new) or find_other_run(then, now)
    if old is None or new is None or reason is not None:
        return Gate(condition, False, f"The memory of {name} is not compared: {reason}.")
    failed = new > (1 + MAX_MORE_MEMORY) * old
    shown_new, shown_old = format_apart(new, old, "MB")
    bound = f"more than {MAX_MORE_MEMORY:.0%} more" if failed else _describe_change(new, old, "more")
    return Gate(condition, failed, f"{name} takes {shown_new} at its peak, {shown_old} in the baseline: {bound}.")


def _describe_change(new: float, old: float, more: str) -> str:
    share = abs(new / old - 1) if old else 0.0
    if round(share, 3) == 0:
        return "the same"
    less = {"longer": "shorter", "more": "less"}[more]
    return f"{share:.1%} {more if new > old else less}"


def _find_untimed(old: float | None, new: float | None) -> str | None:
    if old is None:
        return "it was not measured in the baseline"
    return "it was not measured in this study" if new is None else None


def _these_images(images: int) -> str:
    return "this image does" if images == 1 else f"these {images:,} images do"
