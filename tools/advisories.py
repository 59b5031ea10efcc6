"""`python -m tools.advisories`: whether a package of requirements.lock has a published vulnerability; part of `make lint`.

pip-audit asks PyPI's advisories. Where they cannot be reached, that is said and lint goes on: it works without a network too.
"""

import json
import subprocess
from collections.abc import Mapping
from typing import Any

from deploy.local.setup.install import LOCK, uv_command

AUDITOR = "pip-audit==2.10.1"
COMMAND = uv_command(
    *("tool", "run", "--quiet", AUDITOR, "--requirement", str(LOCK)),
    *("--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json"),
)
PATIENCE_SECONDS = 120
HINT = "`make lock` takes the newest versions."
UNREACHABLE = "Packages were not checked for published vulnerabilities, because PyPI's advisories cannot be reached from here."


def main() -> int:
    """Check and print; returns the exit code."""
    try:
        done = subprocess.run(COMMAND, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
        report: Mapping[str, Any] = json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired, json.JSONDecodeError):
        print(UNREACHABLE)
        return 0
    vulnerable, checked = vulnerabilities(report)
    print(*vulnerable, sep="\n", end="\n" if vulnerable else "")
    print(summary(len(vulnerable), checked, len(report["dependencies"])))
    return 1 if vulnerable else 0


def vulnerabilities(report: Mapping[str, Any]) -> tuple[list[str], int]:
    """A line for every vulnerability in pip-audit's report (its JSON format), and how many packages it could look up.

    >>> found = {"id": "PYSEC-1", "aliases": ["CVE-2026-1"], "fix_versions": ["2.1"], "description": "..."}
    >>> vulnerabilities({"dependencies": [{"name": "a", "version": "2.0", "vulns": [found]}, {"name": "b", "skip_reason": "?"}]})
    (['a 2.0: PYSEC-1 (CVE-2026-1), mended in 2.1'], 1)
    """
    audited = [package for package in report["dependencies"] if "vulns" in package]
    lines = [
        f"{package['name']} {package['version']}: {found['id']} ({', '.join(found['aliases']) or 'no other name'}), "
        f"mended in {', '.join(found['fix_versions']) or 'no version yet'}"
        for package in audited
        for found in package["vulns"]
    ]
    return lines, len(audited)


def summary(vulnerable: int, checked: int, packages: int) -> str:
    """The last line: what was found among how many packages.

    >>> summary(0, 182, 182)
    '182 packages have no published vulnerability.'
    >>> summary(1, 180, 182)
    '1 published vulnerability in 180 of 182 packages. `make lock` takes the newest versions.'
    """
    if not checked:
        return UNREACHABLE
    looked_at = f"{packages}" if checked == packages else f"{checked} of {packages}"
    if not vulnerable:
        return f"{looked_at} packages have no published vulnerability."
    return f"{vulnerable} published vulnerabilit{'y' if vulnerable == 1 else 'ies'} in {looked_at} packages. {HINT}"


if __name__ == "__main__":
    raise SystemExit(main())
