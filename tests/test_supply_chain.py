"""What is installed for development: locked whole, by hash, and audited by a gate that does not pass in silence."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "requirements"
LOCKS = sorted(path.name for path in REQUIREMENTS.glob("*.txt"))


def load(name: str) -> ModuleType:
    """A program of ``.ci``, which is no package."""
    if not (ROOT / ".ci").is_dir():
        pytest.skip("the programs of the gate are not part of a source distribution")
    spec = importlib.util.spec_from_file_location(f"ci_{name}", ROOT / ".ci" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def lock() -> ModuleType:
    return load("lock")


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    return load("audit")


def iter_entries(name: str) -> Iterator[tuple[Requirement, list[str]]]:
    """The entries of a lock file with their hashes; whatever else stands there fails."""
    text = re.sub(r"^ *#.*\n", "", (REQUIREMENTS / name).read_text(), flags=re.MULTILINE)
    for line in text.replace("\\\n", " ").splitlines():
        requirement, *hashes = re.split(r"\s+--hash=", line.strip())
        yield Requirement(requirement), hashes


@pytest.mark.parametrize("name", LOCKS)
def test_everything_locked_is_one_version_with_hashes(name: str) -> None:
    """No addresses, no options, no ranges: a pinned name and the SHA-256 of each of its files."""
    entries = list(iter_entries(name))
    assert entries
    for requirement, hashes in entries:
        assert re.fullmatch(r"==[\w.]+", str(requirement.specifier)), requirement
        assert requirement.url is None, requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in hashes), requirement


def list_wanted(lock: ModuleType) -> list[Requirement]:
    """What pyproject.toml and the tools ask for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = [*project["project"]["dependencies"]]
    asked += [line for name in lock.EXTRAS for line in project["project"]["optional-dependencies"][name]]
    asked += [line for name in lock.GROUPS for line in project["dependency-groups"][name]]
    asked += [line for line in (REQUIREMENTS / "tools.in").read_text().splitlines() if not line.startswith("#")]
    return [Requirement(line) for line in asked]


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_the_lock_has_all_that_pyproject_asks_for(lock: ModuleType, python: str) -> None:
    """One that fails here was added or raised without ``make lock``."""
    environment = {**default_environment(), "python_version": python, "python_full_version": f"{python}.0"}
    locked: dict[str, str] = {}
    for name in LOCKS:
        for requirement, _ in iter_entries(name):
            if requirement.marker is None or requirement.marker.evaluate(environment):
                assert requirement.name not in locked, "two versions at once"
                [pin] = requirement.specifier
                locked[canonicalize_name(requirement.name)] = pin.version
    wanted = [r for r in list_wanted(lock) if r.marker is None or r.marker.evaluate(environment)]
    missing = [str(r) for r in wanted if not r.specifier.contains(locked.get(canonicalize_name(r.name), "0.dev0"))]
    assert missing == []


def test_torch_is_the_one_of_the_constraints_with_its_cpu_builds() -> None:
    [(torch, hashes)] = iter_entries("torch.txt")
    assert str(torch) in (ROOT / "constraints.txt").read_text().splitlines()
    cpu = [line.split() for line in (REQUIREMENTS / "torch-cpu.sha256").read_text().splitlines()]
    assert {f"sha256:{digest}" for digest, _ in cpu} < set(hashes)
    assert {name.split("-")[1] for _, name in cpu} == {f"{torch.specifier}+cpu".removeprefix("==")}


def test_a_machine_without_a_gpu_is_spared_cuda(lock: ModuleType) -> None:
    entries = (
        "numpy==2.4.6 \\\n    --hash=sha256:aa\n    # via detectattn (pyproject.toml)\n"
        "nvidia-cublas==13.1 ; sys_platform == 'linux' \\\n    --hash=sha256:bb\n"
        "nvidia-ml-py==13.0 \\\n    --hash=sha256:cc\n"
        "pip==26.3 \\\n    --hash=sha256:dd\n"
        "torch==2.13.0 \\\n    --hash=sha256:ee\n"
        "triton==3.7.1 \\\n    --hash=sha256:ff\n"
    )
    parts = lock.split_entries(f"# a header\n{entries}")
    names = {part: [entry.split("==")[0] for entry in found] for part, found in parts.items() if found}
    assert names == {
        "pip.txt": ["pip"],
        "dev.txt": ["numpy", "nvidia-ml-py"],
        "torch.txt": ["torch"],
        "cuda.txt": ["nvidia-cublas", "triton"],
    }
    assert sorted("".join(entry for found in parts.values() for entry in found)) == sorted(entries)


def test_cpu_builds_are_allowed_beside_those_of_pypi(lock: ModuleType) -> None:
    sums = [
        "11  torch-2.13.0+cpu-cp311-cp311-linux.whl",
        "22  torch-2.13.0+cpu-cp312-cp312-linux.whl",
        "33  torch-2.12.0+cpu-cp311-cp311-linux.whl",
    ]
    digests = lock.list_cpu_hashes("2.13.0", sums)
    assert digests == ["11", "22"]
    rest = "    --hash=sha256:22 \\\n    --hash=sha256:44\n    # via ultralytics\n"
    assert lock.add_hashes(f"torch==2.13.0 \\\n{rest}", digests) == (
        f"torch==2.13.0 \\\n    --hash=sha256:11 \\\n{rest}"
    )


def found(identifier: str, *fixes: str, aliases: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"id": identifier, "fix_versions": list(fixes), "aliases": list(aliases), "description": "Bad."}


PACKAGES = [
    {"name": "fine", "version": "1.0", "vulns": []},
    {"name": "worse", "version": "1.0", "vulns": [found("PYSEC-1", "1.1", aliases=("CVE-1",))]},
    {"name": "old", "version": "2.0", "vulns": [found("PYSEC-2")]},
    {"name": "gone", "skip_reason": "Dependency not found on PyPI"},
]


@pytest.mark.parametrize(
    ("exceptions", "fixable", "ignored"),
    [
        ({}, ["worse 1.0: PYSEC-1, CVE-1; fixed in 1.1"], []),
        ({"CVE-1": "We never call it."}, [], ["worse 1.0: PYSEC-1, CVE-1; We never call it."]),
        ({"CVE-9": "Another."}, ["worse 1.0: PYSEC-1, CVE-1; fixed in 1.1"], []),
    ],
)
def test_what_fails_an_audit(
    audit: ModuleType, exceptions: dict[str, str], fixable: list[str], ignored: list[str]
) -> None:
    findings = audit.judge(PACKAGES, exceptions)
    assert (findings.asked, findings.unanswered) == (3, ("gone",))
    assert (list(findings.fixable), list(findings.ignored)) == (fixable, ignored)
    assert list(findings.unfixable) == ["old 2.0: PYSEC-2"]
    said = audit.describe(findings)
    assert all(line in said for line in (*fixable, *ignored, "old 2.0: PYSEC-2"))
    assert "NOT AUDITED: the service has no answer here for 1 packages (gone)." in said


@pytest.mark.parametrize(
    ("stdout", "stderr", "code", "said"),
    [
        (json.dumps({"dependencies": PACKAGES}), "", 1, "fixed in 1.1"),
        (json.dumps({"dependencies": [PACKAGES[0]]}), "", 0, "packages asked about: 1; vulnerabilities with a fix: 0"),
        (json.dumps({"dependencies": [PACKAGES[3]]}), "", 0, "NOT AUDITED"),
        (
            "",
            "Traceback …\nConnectionError: no route",
            0,
            "NOT AUDITED: the service could not be asked: ConnectionError",
        ),
    ],
    ids=["a fix", "nothing", "no answer", "no service"],
)
def test_the_audit_fails_for_vulnerabilities_alone(
    audit: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stdout: str,
    stderr: str,
    code: int,
    said: str,
) -> None:
    def answer(files: object, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 0, "" if options else stdout, stderr)

    monkeypatch.setattr(audit, "run_pip_audit", answer)
    assert audit.main() == code
    assert said in capsys.readouterr().out


def test_a_lock_that_cannot_be_read_fails_the_audit(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = subprocess.CompletedProcess[str]([], 1, "", "requirement numpy does not contain a hash")
    monkeypatch.setattr(audit, "run_pip_audit", lambda files, *options: broken)
    assert audit.main() == 1
    assert "does not contain a hash" in capsys.readouterr().err
