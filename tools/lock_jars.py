"""`python -m tools.lock_jars`: resolve the Java archives of ivy.xml and lock exactly which they are.

The result, jars.lock.xml, is a flat list: set-up only downloads archives, in parallel, always the same ones.
"""

import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from deploy.local.setup.archives import IVY_LOCK, ivy_command

IVY_DIRECT = IVY_LOCK.with_name("ivy.xml")
# A Java process downloads one archive after another; the longest list is split among three.
PARTS = {"compiler": 1, "spark": 1, "kafka": 2, "s3": 3}


def resolved(configuration: str, folder: Path) -> list[tuple[str, str, str]]:
    """Return organisation, name and revision of every archive of a configuration, dependencies included."""
    command = ivy_command(folder, "-ivy", str(IVY_DIRECT), "-confs", configuration)
    subprocess.run(command, check=True, stdout=sys.stderr)
    report = ET.parse(folder / "cache" / f"groundswell-jars-{configuration}.xml")  # noqa: S314, written by Ivy
    return sorted(
        (module.attrib["organisation"], module.attrib["name"], revision.attrib["name"])
        for module in report.iter("module")
        for revision in module.iter("revision")
        if not revision.get("evicted") and revision.find("artifacts/artifact") is not None
    )


def main() -> None:
    """Write jars.lock.xml."""
    parts = [f"{name}-{number}" for name, count in PARTS.items() for number in range(1, count + 1)]
    lines = [
        "<!-- Made by `make lock` from ivy.xml: every Java archive, by folder and fetching process. -->",
        '<ivy-module version="2.0">',
        '  <info organisation="groundswell" module="jars"/>',
        "  <configurations>" + "".join(f'<conf name="{part}"/>' for part in parts) + "</configurations>",
        "  <dependencies>",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for name, count in PARTS.items():
            for index, (organisation, module, revision) in enumerate(resolved(name, Path(folder) / name)):
                part = f"{name}-{index % count + 1}"
                archive = f'org="{organisation}" name="{module}" rev="{revision}"'
                lines.append(f'    <dependency {archive} conf="{part}-&gt;default" transitive="false"/>')
    IVY_LOCK.write_text("\n".join([*lines, "  </dependencies>", "</ivy-module>", ""]))


if __name__ == "__main__":
    main()
