"""``report.json`` of two studies, from anywhere: compared, held against conditions, told in every form."""

from __future__ import annotations

from pathlib import Path

from detectattn.compare.changes import build_changes, read_side
from detectattn.compare.gate import judge_baseline, judge_conditions, load_baseline, parse_condition
from detectattn.report.changes_json import render_changes_json
from detectattn.report.changes_terminal import render_changes_terminal
from detectattn.report.html.changes import render_changes_html
from detectattn.report.markdown.changes import render_changes_markdown
from fuzz.contract import read_or_refuse
from fuzz.target import SEPARATOR, Target, write_parts

_CONDITIONS = ("demo-rtdetr.ap50_95 < 0.6", "demo-yolo.p50_ms > 2 * demo-rtdetr.p50_ms")


def run(content: bytes, folder: Path) -> None:
    """Compare the first report with the second, or with itself where there is one alone."""
    if SEPARATOR not in content:
        content = content + SEPARATOR + content
    write_parts(content, folder, ("before.json", "after.json"))
    before = read_or_refuse(read_side, folder / "before.json")
    after = read_or_refuse(read_side, folder / "after.json")
    if before is None or after is None:
        return
    changes = read_or_refuse(build_changes, before, after)
    if changes is not None:
        render_changes_json(changes)
        render_changes_terminal(changes, "runs/report-001")
        render_changes_markdown(changes)
        render_changes_html(changes)
    conditions = [parse_condition(text, ("demo-rtdetr", "demo-yolo")) for text in _CONDITIONS]
    read_or_refuse(judge_conditions, conditions, after.content)
    baseline = read_or_refuse(load_baseline, str(folder / "before.json"))
    if baseline is not None:
        read_or_refuse(judge_baseline, baseline, after.content, {})


TARGET = Target(
    reads="report.json of earlier studies, compared and held against conditions",
    modules=("detectattn.compare", "detectattn.report"),
    run=run,
    is_json=True,
    max_bytes=16384,
)
