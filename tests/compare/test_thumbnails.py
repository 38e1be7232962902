"""Small copies of a study's pictures: when they are written, what they are called, and what fits into a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np
import pytest

from detectattn.compare import measure, thumbnails
from detectattn.compare.entrants import ModelEntrant
from detectattn.compare.finish import collect_gallery, finish_study
from detectattn.compare.frames import Chunk, PictureInfo, iter_chunks
from detectattn.compare.judge import build_report
from detectattn.compare.study import StudyPlan, run_study
from detectattn.compare.study_folder import StudyFolder
from detectattn.compare.thumbnails import INLINE_BYTES, find_thumbnails, inline_thumbnails, keep_thumbnails
from detectattn.engines.base import EngineOptions
from detectattn.errors import OutputExists
from detectattn.report.gallery import Gallery, GalleryPicture
from detectattn.sources import open_sources
from detectattn.sources.base import ReadCounts, ReadOptions
from detectattn.types import Frame, Media
from tests.compare.fake_models import FakeChild, fake_weights
from tests.compare.test_study import Bench

HOSTILE = '"><img src=x onerror=alert(1)>.jpg'


def make_frame(source: str, size_hw: tuple[int, int] = (40, 60), index: int = 0, value: int = 90) -> Frame:
    media = Media(source, "image", 0, PurePosixPath("x.jpg"))
    return Frame(media, index, np.full((*size_hw, 3), value, np.uint8))


def chunk_up(tmp_path: Path, *frames: Frame) -> Iterator[Chunk]:
    folder = tmp_path / "temp"
    folder.mkdir(exist_ok=True)
    return iter_chunks([(frame, 1.0) for frame in frames], folder)


def run_through(chunks: Iterator[Chunk], root: Path) -> list[PictureInfo]:
    return [info for chunk in keep_thumbnails(chunks, root) for info in chunk.infos]


def read(path: Path) -> np.ndarray:
    pixels = cv2.imread(str(path))
    assert pixels is not None
    return pixels


def files_of(root: Path) -> list[Path]:
    return sorted((root / "pictures" / "plain").glob("*"))


def test_every_picture_gets_a_copy_of_its_own(tmp_path: Path) -> None:
    frames = [
        make_frame(HOSTILE, value=10),
        make_frame("clip.gif", index=0, value=100),
        make_frame("clip.gif", index=1),
    ]
    pictures = run_through(chunk_up(tmp_path, *frames), tmp_path / "run")
    found = find_thumbnails(tmp_path / "run", pictures)
    assert list(found) == [(HOSTILE, 0), ("clip.gif", 0), ("clip.gif", 1)]
    assert [path.rpartition("-")[0] for path in found.values()] == [f"pictures/plain/00000{n}" for n in range(3)]
    assert all(set(path) <= set("abcdefgijlnprstu0123456789/-.") for path in found.values())
    assert [round(read(tmp_path / "run" / path).mean()) for path in found.values()] == [10, 100, 90]
    assert len(files_of(tmp_path / "run")) == 3


@pytest.mark.parametrize(
    ("size_hw", "shown_hw"),
    [((40, 60), (40, 60)), ((1920, 1080), (960, 540)), ((100, 4800), (20, 960)), ((1, 5000), (1, 960))],
)
def test_large_pictures_are_shrunk(tmp_path: Path, size_hw: tuple[int, int], shown_hw: tuple[int, int]) -> None:
    run_through(chunk_up(tmp_path, make_frame("x.jpg", size_hw)), tmp_path / "run")
    assert read(files_of(tmp_path / "run")[0]).shape[:2] == shown_hw


def test_nothing_is_encoded_before_a_chunk_is_done_with(tmp_path: Path) -> None:
    chunks = keep_thumbnails(chunk_up(tmp_path, *(make_frame(f"{n}.jpg") for n in range(70))), tmp_path / "run")
    first = next(chunks)
    assert files_of(tmp_path / "run") == []
    next(chunks)
    assert len(files_of(tmp_path / "run")) == len(first.infos) < 70
    assert next(chunks, None) is None
    assert len(files_of(tmp_path / "run")) == 70


def test_what_is_there_is_not_written_again(tmp_path: Path) -> None:
    frames = [make_frame("a.jpg"), make_frame("b.jpg")]
    run_through(chunk_up(tmp_path, *frames), tmp_path / "run")
    kept, lost = files_of(tmp_path / "run")
    kept.write_bytes(b"mark")
    lost.unlink()
    pictures = run_through(chunk_up(tmp_path, *frames), tmp_path / "run")
    assert kept.read_bytes() == b"mark"
    assert lost.exists()
    assert len(find_thumbnails(tmp_path / "run", pictures)) == 2


def test_a_copy_is_never_taken_for_that_of_another_picture(tmp_path: Path) -> None:
    run_through(chunk_up(tmp_path, make_frame("b.jpg", value=10)), tmp_path / "run")
    pictures = run_through(chunk_up(tmp_path, make_frame("a.jpg", value=200), make_frame("b.jpg")), tmp_path / "run")
    found = find_thumbnails(tmp_path / "run", pictures)
    assert [round(read(tmp_path / "run" / path).mean()) for path in found.values()] == [200, 90]


def test_there_is_a_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thumbnails, "MOST_THUMBNAILS", 66)
    frames = [make_frame(f"{n}.jpg") for n in range(70)]
    pictures = run_through(chunk_up(tmp_path, *frames), tmp_path / "run")
    assert len(pictures) == 70
    assert len(files_of(tmp_path / "run")) == 66
    assert len(find_thumbnails(tmp_path / "run", pictures)) == 66


def test_a_folder_that_cannot_be_written_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "pictures").write_text("in the way")
    with pytest.raises(OutputExists, match="is a file, not a folder"):
        run_through(chunk_up(tmp_path, make_frame("a.jpg")), tmp_path / "run")


def make_gallery(paths: list[str | None]) -> Gallery:
    pictures = [GalleryPicture(f"{n}.jpg", 0, (40, 60), path, None, None, ((),), None) for n, path in enumerate(paths)]
    return Gallery(("a",), (), tuple(pictures))


@pytest.fixture
def noisy_run(tmp_path: Path) -> Callable[[int], list[str]]:
    """Writes thumbnails that compress badly."""

    def call(count: int) -> list[str]:
        rng = np.random.default_rng(0)
        frames = [
            replace(make_frame(f"{n}.jpg"), bgr=rng.integers(0, 256, (540, 960, 3), np.uint8)) for n in range(count)
        ]
        return list(find_thumbnails(tmp_path, run_through(chunk_up(tmp_path, *frames), tmp_path)).values())

    return call


def test_the_first_pictures_stand_in_the_page(tmp_path: Path) -> None:
    paths = find_thumbnails(
        tmp_path, run_through(chunk_up(tmp_path, *(make_frame(f"{n}.jpg") for n in range(30))), tmp_path)
    )
    gallery = inline_thumbnails(make_gallery([None, *paths.values()]), tmp_path)
    assert [picture.jpeg is not None for picture in gallery.pictures] == [False] + [True] * 24 + [False] * 6
    assert gallery.pictures[1].jpeg == (tmp_path / (gallery.pictures[1].path or "")).read_bytes()


def test_together_they_stay_small(tmp_path: Path, noisy_run: Callable[[int], list[str]]) -> None:
    paths = noisy_run(12)
    assert sum((tmp_path / path).stat().st_size for path in paths) > INLINE_BYTES
    jpegs = [p.jpeg for p in inline_thumbnails(make_gallery([*paths]), tmp_path).pictures]
    assert all(jpegs)
    assert INLINE_BYTES / 3 < sum(len(jpeg or b"") for jpeg in jpegs) <= INLINE_BYTES
    shapes = {cv2.imdecode(np.frombuffer(jpeg or b"", np.uint8), cv2.IMREAD_COLOR).shape for jpeg in jpegs}
    assert len(shapes) == 1
    assert shapes.pop()[1] < 960


@pytest.mark.parametrize("content", [None, b"", b"no picture"])
def test_a_missing_or_damaged_copy_is_left_out(tmp_path: Path, content: bytes | None) -> None:
    (path,) = find_thumbnails(tmp_path, run_through(chunk_up(tmp_path, make_frame("a.jpg")), tmp_path)).values()
    (tmp_path / path).unlink()
    if content is not None:
        (tmp_path / path).write_bytes(content)
    assert inline_thumbnails(make_gallery([path]), tmp_path).pictures[0].jpeg is None


@pytest.fixture
def plan(tmp_path: Path) -> StudyPlan:
    """A study of two models on three pictures."""
    images = tmp_path / "images"
    images.mkdir()
    for n in range(3):
        cv2.imwrite(str(images / f"{n}.png"), np.full((40, 60, 3), 50 * n, np.uint8))
    read_options = ReadOptions(temp_dir=tmp_path)
    media = tuple(open_sources([str(images)], read_options).iter_media(ReadCounts()))
    models = [ModelEntrant(name, fake_weights(tmp_path, name), EngineOptions(), "auto", name) for name in ("a", "b")]
    return StudyPlan(media, read_options, None, models, (), None, 1, True, tmp_path, thumbnails=True)


class Silent:
    def say(self, text: str) -> None: ...

    def warn(self, text: str) -> None: ...

    def advance(self, stage: str, name: str, done: int, total: int | None) -> None: ...


def open_fake(diary: list[tuple[str, str]], root: Path) -> Callable[[Any], FakeChild]:
    """Models that note how many thumbnails there are when they are asked for something."""

    class Watching(FakeChild):
        def ask(self, request: Any, wanted: Any) -> Any:
            diary.append((type(request).__name__, str(len(files_of(root)))))
            return super().ask(request, wanted)

    return lambda spec: Watching(spec, [])


def test_a_study_keeps_its_pictures_after_its_models_were_timed(
    tmp_path: Path, plan: StudyPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = StudyFolder(tmp_path / "run")
    folder.root.mkdir()
    diary: list[tuple[str, str]] = []
    monkeypatch.setattr(measure, "Child", open_fake(diary, folder.root))
    run_study(plan, folder, Silent())
    assert any(name.startswith("Time") for name, _ in diary)
    assert {count for _, count in diary} == {"0"}
    pictures, _ = folder.read_pictures()
    assert list(find_thumbnails(folder.root, pictures)) == [("0.png", 0), ("1.png", 0), ("2.png", 0)]


def test_a_study_without_pictures_keeps_none(tmp_path: Path, plan: StudyPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = StudyFolder(tmp_path / "run")
    folder.root.mkdir()
    monkeypatch.setattr(measure, "Child", open_fake([], folder.root))
    run_study(replace(plan, thumbnails=False), folder, Silent())
    assert not (folder.root / "pictures").exists()


def test_where_no_model_runs_pictures_are_kept_all_the_same(tmp_path: Path, plan: StudyPlan) -> None:
    folder = StudyFolder(tmp_path / "run")
    folder.root.mkdir()
    run_study(replace(plan, models=()), folder, Silent())
    assert len(find_thumbnails(folder.root, folder.read_pictures()[0])) == 3


def test_a_study_that_goes_on_writes_what_is_missing(
    tmp_path: Path, plan: StudyPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = StudyFolder(tmp_path / "run")
    folder.root.mkdir()
    monkeypatch.setattr(measure, "Child", lambda spec: FakeChild(spec, []))
    whole = StudyFolder(tmp_path / "whole")
    whole.root.mkdir()
    run_study(plan, whole, Silent())

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(thumbnails, "_write_thumbnails", stop)
    with pytest.raises(KeyboardInterrupt):
        run_study(plan, folder, Silent())
    monkeypatch.undo()
    monkeypatch.setattr(measure, "Child", lambda spec: FakeChild(spec, []))
    assert files_of(folder.root) == []
    run_study(plan, folder, Silent())
    assert [p.read_bytes() for p in files_of(folder.root)] == [p.read_bytes() for p in files_of(whole.root)]


def test_a_report_built_anew_shows_the_same_pictures(
    tmp_path: Path, plan: StudyPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path, tmp_path / "images", monkeypatch)
    bench.run(bench.plan("a", "b", thumbnails=True))

    def collect() -> Gallery:
        records = bench.folder.load()
        return collect_gallery(bench.folder, records, *build_report(records))

    first = collect()
    assert [picture.jpeg is not None for picture in first.pictures] == [True] * len(plan.media)
    finish_study(bench.folder)
    assert collect() == first
    assert "explorer-data" in (bench.folder.root / "report.html").read_text(encoding="utf-8")
