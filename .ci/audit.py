"""``make audit``: is a vulnerability known in what requirements/ locks?

pip-audit asks PyPI, which knows the advisories of the Python Packaging Authority. Its own exit status is not enough for
a gate: it is 0 as well when the service knows none of the packages, and 1 as well when the service cannot be reached.
Here a vulnerability that has a fix fails the audit, unless IGNORED says why not; what could not be asked is said aloud,
and fails nothing, since it says nothing about the packages.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOCKED = ("pip.txt", "dev.txt", "fuzz.txt", "torch.txt", "cuda.txt")
PATIENCE_S = 300

# Identifier of an advisory (PYSEC, GHSA or CVE): why the version that has it may stay.
IGNORED: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Findings:
    """What an audit found, in lines for a reader.

    Attributes:
        asked: Packages that the service answered for.
        unanswered: Packages that it did not answer for.
        fixable: Vulnerabilities with a fix; these fail the audit.
        unfixable: Vulnerabilities without one.
        ignored: Vulnerabilities that the list of exceptions names, with its reason.
    """

    asked: int
    unanswered: tuple[str, ...] = ()
    fixable: tuple[str, ...] = ()
    unfixable: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def judge(packages: Sequence[Mapping[str, Any]], exceptions: Mapping[str, str]) -> Findings:
    """Sort what pip-audit's JSON says of each package; an exception may name any of an advisory's identifiers."""
    fixable, unfixable, ignored = [], [], []
    for package in packages:
        for found in package.get("vulns", ()):
            names = [found["id"], *found.get("aliases", ())]
            reason = next((exceptions[name] for name in names if name in exceptions), None)
            line = f"{package['name']} {package['version']}: {', '.join(names)}"
            if reason is not None:
                ignored.append(f"{line}; {reason}")
            elif found["fix_versions"]:
                fixable.append(f"{line}; fixed in {', '.join(found['fix_versions'])}")
            else:
                unfixable.append(line)
    unanswered = tuple(package["name"] for package in packages if "skip_reason" in package)
    return Findings(len(packages) - len(unanswered), unanswered, tuple(fixable), tuple(unfixable), tuple(ignored))


def describe(findings: Findings) -> str:
    """What a person should read, in the order of what to do about it."""
    lines = [f"audit: packages asked about: {findings.asked}; vulnerabilities with a fix: {len(findings.fixable)}"]
    parts = [
        ("Vulnerable, with a fix (make lock UPGRADE=1, or say in .ci/audit.py why not)", findings.fixable),
        ("Vulnerable, without a fix", findings.unfixable),
        ("Vulnerable, and allowed by .ci/audit.py", findings.ignored),
    ]
    for title, found in parts:
        lines += [f"{title}:", *(f"  {line}" for line in found)] if found else []
    if findings.unanswered:
        few = ", ".join(findings.unanswered[:5]) + (", …" if len(findings.unanswered) > 5 else "")
        lines.append(f"NOT AUDITED: the service has no answer here for {len(findings.unanswered)} packages ({few}).")
    return "\n".join(lines)


def run_pip_audit(files: Sequence[Path], *options: str) -> subprocess.CompletedProcess[str]:
    """One run of pip-audit over lock files. Raises TimeoutExpired when the service does not come to an end."""
    command = [sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip", "--progress-spinner", "off"]
    command += ["--format", "json", "--cache-dir", str(Path(sys.prefix) / "cache" / "pip-audit"), *options]
    command += [word for file in files for word in ("--requirement", str(file))]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)  # noqa: S603 - our own


def main() -> int:
    """Audit the lock, say what was found, and return the exit status."""
    files = [ROOT / "requirements" / name for name in LOCKED]
    read = run_pip_audit(files, "--dry-run")  # asks nobody: what fails here is the lock's own fault
    if read.returncode:
        print(f"audit: the lock cannot be read\n{read.stderr}", file=sys.stderr)
        return 1
    try:
        done = run_pip_audit(files)
        findings = judge(json.loads(done.stdout)["dependencies"], IGNORED)
    except subprocess.TimeoutExpired:
        print(f"NOT AUDITED: the service did not come to an end within {PATIENCE_S} s.")
        return 0
    except json.JSONDecodeError:
        why = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        print(f"NOT AUDITED: the service could not be asked: {why}")
        return 0
    print(describe(findings))
    return 1 if findings.fixable else 0


if __name__ == "__main__":
    sys.exit(main())
