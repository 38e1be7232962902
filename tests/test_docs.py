"""The pages are true: their commands run, their options exist, their Python works, their links lead somewhere."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectattn import Model
from detectattn.api import Shot
from detectattn.cli.app import run
from detectattn.explain.picture import ExplainedPicture
from detectattn.types import Prediction
from samples.scenes import Scene

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    ROOT / "samples/README.md",
    ROOT / "training/README.md",
]


def iter_blocks(page: Path, language: str) -> Iterator[str]:
    yield from re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def list_commands() -> list[str]:
    lines = (
        line.removeprefix("$ ")
        for page in PAGES
        for block in iter_blocks(page, "console")
        for line in block.replace("\\\n", " ").splitlines()
    )
    commands = {line.split("#")[0].strip() for line in lines if line.startswith("detectattn ")}
    return sorted(c for c in commands if "…" not in c and "..." not in c)


# Runs wherever the tests do, in place of whichever model a page names.
MODEL = "demo-yolo"


@pytest.fixture
def reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, street_images: Path, ultralytics_assets: Path, clips: Any
) -> Path:
    """A working directory that holds what the pages name, of the samples a few."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DETECTATTN_CACHE", str(tmp_path / "cache"))
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    shutil.copyfile(ultralytics_assets / "bus.jpg", tmp_path / "bus.jpg")
    images = tmp_path / "samples/street/images"
    for folder in (tmp_path / "street", images):
        folder.mkdir(parents=True)
        for name in ("noon.jpg", "yellow-bus.jpg"):
            shutil.copyfile(street_images / name, folder / name)
    shutil.copyfile(street_images / "boulevard.jpg", images / "boulevard.jpg")
    for name in ("annotations.json", "data.yaml"):
        shutil.copyfile(ROOT / "samples/street" / name, tmp_path / "samples/street" / name)
    shutil.copytree(ROOT / "samples/street/labels", tmp_path / "samples/street/labels")
    shutil.copytree(ROOT / "samples/trouble", tmp_path / "samples/trouble")
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    for name in ("clip.mp4", "holiday.mp4"):
        clips.make(name, frames=5)
    return tmp_path


@pytest.fixture
def light_work(light_studies: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What commands measure they measure a few times: that they run is what is asked, not what they find."""
    monkeypatch.setattr("detectattn.attention.block_time._MOST", 3)
    monkeypatch.setattr("detectattn.attention.faithfulness.FRACTIONS", (1 / 64, 1 / 4))
    monkeypatch.setattr("detectattn.engines.device_peak._BUDGET_S", 0.05)
    monkeypatch.setattr("detectattn.pipeline.choose_batch._LARGEST", 2)


def to_local(words: list[str], url: str) -> list[str]:
    """The command with every model the one at hand, and addresses of this machine."""
    local = [url if word.startswith("https://") else word for word in words]
    if local[0] == "compare":
        return [*local, "--limit", "3", *([] if "--rounds" in local else ["--rounds", "1"])]
    if local[0] == "explain":
        known = ["demo-rtdetr" if "rtdetr" in word else MODEL for word in local]
        models = [known[k] if k and local[k - 1] == "-m" else word for k, word in enumerate(local)]
        return [*models, "--limit", "1", "--top", "1", "--imgsz", "160"]
    if "-m" in local:
        local[local.index("-m") + 1] = MODEL
    elif local[0] == "predict" and "-c" in local:
        local += ["-m", MODEL]
    return [word for word in local if word != "--show"]


@pytest.mark.usefixtures("light_work")
@pytest.mark.parametrize("command", list_commands())
def test_commands_run(
    command: str, reader: Path, http_server: Any, ultralytics_assets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = shlex.split(command)[1:]
    if words[:2] in (["models", "pull"], ["models", "verify"], ["models", "path"], ["demo"], ["doctor"]):
        assert run([*words[:2], "--help"]) == 0  # what they do is tested in tests/cli
        return
    if any(word.startswith("rtsp://") for word in words):
        assert {w for w in words if w.startswith("--")} <= list_options()
        return
    content = (ultralytics_assets / "bus.jpg").read_bytes()

    def serve(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    http_server.routes["/bus.jpg"] = serve
    for folder in sorted(set(re.findall(r"runs/compare-\d+", command))):
        assert run(["compare", "-m", MODEL, "--rounds", "0", "--limit", "3", "--quiet", "-o", folder]) == 0
    if "--resume" in words and words[0] == "predict":
        assert run(["predict", str(ultralytics_assets / "bus.jpg"), "-m", MODEL, "--quiet", "-o", words[-1]]) == 0
        manifest = Path(words[-1], "run.json")
        manifest.write_text(manifest.read_text().replace('"finished"', '"interrupted"'))
    code = run(to_local(words, f"{http_server.url}/bus.jpg"))
    # A folder with trouble, as the guide says, ends with some inputs failed.
    assert code == (4 if "samples/trouble" in words else 0), capsys.readouterr().err


def list_options() -> set[str]:
    """The long options of ``predict``, from its own help."""
    import typer.main

    from detectattn.cli.app import app

    command = typer.main.get_command(app)
    [predict] = [c for name, c in command.commands.items() if name == "predict"]  # type: ignore[attr-defined]
    return {name for p in predict.params for name in (*p.opts, *p.secondary_opts) if name.startswith("--")}


def test_guide_names_every_option_and_no_other() -> None:
    guide = (ROOT / "docs" / "guide.md").read_text()
    mentioned = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", guide))
    implied = {"--model", "--images", "--show", "--no-show", "--online", "--help", "--quiet", "--verbose"}
    options = list_options()
    assert options - mentioned - implied == set()
    assert mentioned - options - {"--index-url", "--measure"} == set()


# What a reader has at the end of each page that holds Python.
_MADE = {
    "README.md": ("model", Model),
    "docs/attention.md": ("weights", np.ndarray),
    "docs/explain.md": ("explained", ExplainedPicture),
    "docs/guide.md": ("model", Model),
    "docs/records.md": ("prediction", Prediction),
    "samples/README.md": ("scene", Scene),
}


@pytest.mark.parametrize("page", [p for p in PAGES if any(iter_blocks(p, "python"))], ids=lambda p: p.name)
def test_python_runs(page: Path, reader: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every block of a page in turn, as a reader would type them, with the model at hand."""
    shown: list[Shot] = []
    monkeypatch.setattr(Shot, "show", lambda shot: shown.append(shot))
    names: dict[str, Any] = {}
    if page.name == "records.md":
        run(["predict", "street", "-m", MODEL, "-q", "--save", "coco"])
    if page.name == "attention.md":
        picture = "samples/street/images/boulevard.jpg"
        options = ["-m", "demo-rtdetr", "--classes", "bus", "--top", "2", "--maps", "encoder_rows"]
        run(["explain", picture, *options, "-q", "-o", "looked"])
    if page.name == "explain.md":
        run(["explain", "street", "-m", "demo-rtdetr", "-q", "--top", "1", "--imgsz", "160"])
    for block in iter_blocks(page, "python"):
        source = re.sub(r'Model\("[\w.-]+"', f'Model("{MODEL}"', block)
        source = re.sub(r'"rtsp://[^"]+"', '"street/"', source)
        exec(compile(source, page.name, "exec"), names)  # the page's own code
    made, kind = _MADE[page.relative_to(ROOT).as_posix()]
    assert isinstance(names[made], kind)
    if isinstance(names[made], Model):
        names[made].close()
    assert shown or page != ROOT / "README.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()) + re.findall(
        r'src="([^"]+)"', page.read_text()
    )
    assert [t for t in targets if not (page.parent / t).exists()] == []


def test_pages_name_no_machine() -> None:
    for page in (*PAGES, ROOT / "CHANGELOG.md"):
        assert not re.search(r"/(?:work|root|home)/", page.read_text()), page
