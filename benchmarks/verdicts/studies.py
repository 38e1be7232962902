"""Many small studies out of one large set of images: what the product would have said in each."""

from __future__ import annotations

import ast
import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.verdicts.tables import load_table, take_images, write_table
from detectattn.evaluation import average_precision, bootstrap, intervals
from detectattn.evaluation.average_precision import class_ap, compute_average_precision, mean_ap, mean_ap50
from detectattn.evaluation.bootstrap import AccuracyComparison, compare_resampled, resample_ap
from detectattn.machine import count_usable_cores
from detectattn.results import MatchTable

F64 = NDArray[np.float64]

_A_FILE = 20
FIELDS = ("difference", "low", "high", "decided")


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """Models whose figures on a large set of images are the truth, and the pairs of them that are compared.

    Attributes:
        name: Of its files.
        tables: By model, on the same images.
        pairs: Names of both models.
        most_images: Of a study.
    """

    name: str
    tables: Mapping[str, MatchTable]
    pairs: tuple[tuple[str, str], ...]
    most_images: int

    @property
    def figures(self) -> tuple[str, ...]:
        """What is compared: AP, AP50, and AP of each class by its name."""
        return "ap50_95", "ap50", *next(iter(self.tables.values())).class_names

    def compute_truth(self) -> F64:
        """Every figure's difference on all images: f64[P, F]."""
        ap = {name: compute_average_precision(table) for name, table in self.tables.items()}
        figures = {name: np.array([mean_ap(x), mean_ap50(x), *class_ap(x)]) for name, x in ap.items()}
        return np.array([figures[a] - figures[b] for a, b in self.pairs])


class Task(NamedTuple):
    """Some studies of one size: numbers ``start`` to ``stop``, exclusive."""

    images: int
    start: int
    stop: int


def run_studies(
    world: World, counts: Mapping[int, int], folder: Path, on_progress: Callable[[int, int], None]
) -> dict[int, F64]:
    """Compare every pair of a world on subsets of its images, as the product compares two models.

    Subsets are drawn with replacement, so that the images of a study are independent draws from a population whose
    figures are known exactly. (Drawn without, 400 of 3,000 images would lie nearer to the whole than 400 images lie to
    all that a user might photograph, and intervals would seem better than they are.)

    Args:
        world: The models.
        counts: How many studies, by how many images each looks at.
        folder: Of the cache; studies that are there are not run again.
        on_progress: Told how many studies are done, of how many.

    Returns:
        By number of images f64[S, P, F, 4]: :data:`FIELDS` of each study, pair and figure, NaN for a class that a
        study's images do not show.
    """
    counts = {n: count for n, count in counts.items() if n <= world.most_images}
    shelf = folder / f"{world.name}-{_fingerprint(world)}"
    shelf.mkdir(parents=True, exist_ok=True)
    for name, table in world.tables.items():
        if not (path := shelf / f"{name}.npz").exists():
            write_table(path, table)
    tasks = [Task(n, s, min(s + _A_FILE, count)) for n, count in counts.items() for s in range(0, count, _A_FILE)]
    # The longest first, so that no core is left with one at the end.
    missing = sorted((t for t in tasks if not _path(shelf, t).exists()), key=lambda t: -t.images)
    total, done = sum(counts.values()), sum(counts.values()) - sum(t.stop - t.start for t in missing)
    on_progress(done, total)
    with ProcessPoolExecutor(count_usable_cores(), mp_context=get_context("spawn")) as pool:
        running = [pool.submit(_run, shelf, tuple(world.tables), world.pairs, task) for task in missing]
        for task, future in zip(missing, running, strict=True):
            future.result()
            done += task.stop - task.start
            on_progress(done, total)
    return {n: np.concatenate([np.load(_path(shelf, t)) for t in tasks if t.images == n]) for n in counts}


def _fingerprint(world: World) -> str:
    """Changes when the tables do, or the code that draws conclusions from them."""
    digest = hashlib.sha256(repr(world.pairs).encode())
    for module in (average_precision, bootstrap, intervals):
        digest.update(_strip_prose(Path(str(module.__file__)).read_text(encoding="utf-8")).encode())
    for table in world.tables.values():
        for array in (table.image, table.class_index, table.score, table.matched, table.truth_count):
            digest.update(array.tobytes())
    return digest.hexdigest()[:12]


def _strip_prose(source: str) -> str:
    """What a program does, without its comments and docstrings: those are no reason to run everything again."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            del node.body[0]
    return ast.dump(tree)


def _path(shelf: Path, task: Task) -> Path:
    return shelf / f"{task.images}-{task.start}-{task.stop - task.start}.npy"


def _run(shelf: Path, names: Sequence[str], pairs: Sequence[tuple[str, str]], task: Task) -> None:
    tables = {name: _load(shelf / f"{name}.npz") for name in names}
    rows = np.array([_study(tables, pairs, task.images, number) for number in range(task.start, task.stop)])
    draft = _path(shelf, task).with_suffix(f".{os.getpid()}.npy")
    np.save(draft, rows)
    draft.replace(_path(shelf, task))


@cache
def _load(path: Path) -> MatchTable:
    return load_table(path)


def _study(
    tables: Mapping[str, MatchTable], pairs: Sequence[tuple[str, str]], images: int, number: int
) -> list[list[list[float]]]:
    """What one study says, by pair and figure."""
    pool = next(iter(tables.values())).image_count
    chosen = np.random.default_rng([images, number]).integers(0, pool, images)
    resampled = {name: resample_ap(take_images(table, chosen), seed=number) for name, table in tables.items()}
    classes = next(iter(tables.values())).class_names
    return [_to_row(compare_resampled(resampled[a], resampled[b]), classes) for a, b in pairs]


def _to_row(found: AccuracyComparison, classes: Sequence[str]) -> list[list[float]]:
    by_class = {difference.class_name: difference for difference in found.per_class}
    differences = [found.ap50_95, found.ap50, *(by_class.get(name) for name in classes)]
    return [[np.nan] * len(FIELDS) if d is None else [getattr(d, f) for f in FIELDS] for d in differences]
