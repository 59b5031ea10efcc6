"""`python -m tools.advisories`: known vulnerabilities of the packages in requirements.lock (`make audit`).

pip-audit asks PyPI's advisories. If they cannot be reached, it says so and exits with 0.
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
UNREACHABLE = "Packages were not checked for vulnerabilities: PyPI's advisories cannot be reached from here."


def main() -> int:
    """Check and print; return the exit code."""
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
    """Return a line per vulnerability in pip-audit's JSON report, and how many packages it could look up.

    >>> found = {"id": "PYSEC-1", "aliases": ["CVE-2026-1"], "fix_versions": ["2.1"], "description": "..."}
    >>> packages = [{"name": "a", "version": "2.0", "vulns": [found]}, {"name": "b", "skip_reason": "?"}]
    >>> vulnerabilities({"dependencies": packages})
    (['a 2.0: PYSEC-1 (CVE-2026-1), fixed in 2.1'], 1)
    """
    audited = [package for package in report["dependencies"] if "vulns" in package]
    lines = [
        f"{package['name']} {package['version']}: "
        f"{found['id']} ({', '.join(found['aliases']) or 'no other name'}), "
        f"fixed in {', '.join(found['fix_versions']) or 'no version yet'}"
        for package in audited
        for found in package["vulns"]
    ]
    return lines, len(audited)


def summary(vulnerable: int, checked: int, packages: int) -> str:
    """Return the last line: what was found among how many packages.

    >>> summary(0, 182, 182)
    '182 packages have no published vulnerability.'
    >>> summary(1, 180, 182)
    '1 published vulnerability in 180 of 182 packages. `make lock` takes the newest versions.'
    """
    if not checked:
        return UNREACHABLE
    audited = f"{packages}" if checked == packages else f"{checked} of {packages}"
    if not vulnerable:
        return f"{audited} packages have no published vulnerability."
    noun = "vulnerability" if vulnerable == 1 else "vulnerabilities"
    return f"{vulnerable} published {noun} in {audited} packages. {HINT}"


if __name__ == "__main__":
    raise SystemExit(main())
