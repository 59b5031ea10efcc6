"""`python -m tools.lock_jars`: resolve the Java archives of ivy.xml and write down exactly which they are.

The result, jars.lock.xml, is a flat list: set-up then fetches archives only, in parallel, and always the same ones.
"""

import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from deploy.local.setup.install import IVY_LOCK, ivy_command

IVY_DIRECT = IVY_LOCK.with_name("ivy.xml")
# One Java process fetches one archive after another; the longest list is fetched by three.
PARTS = {"spark": 1, "kafka": 2, "s3": 3}


def resolved(configuration: str, folder: Path) -> list[tuple[str, str, str]]:
    """Organisation, name and revision of every archive that `configuration` of ivy.xml needs, dependencies included."""
    command = ivy_command(folder, "-ivy", str(IVY_DIRECT), "-confs", configuration)
    subprocess.run(command, check=True, stdout=sys.stderr)
    report = ET.parse(folder / "cache" / f"groundswell-jars-{configuration}.xml")
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
        "<!-- Made by `make lock` from ivy.xml: every Java archive, by the folder it goes to and the process that fetches it. -->",
        '<ivy-module version="2.0">',
        '  <info organisation="groundswell" module="jars"/>',
        "  <configurations>" + "".join(f'<conf name="{part}"/>' for part in parts) + "</configurations>",
        "  <dependencies>",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for name, count in PARTS.items():
            for index, (organisation, module, revision) in enumerate(resolved(name, Path(folder) / name)):
                part = f"{name}-{index % count + 1}"
                lines.append(
                    f'    <dependency org="{organisation}" name="{module}" rev="{revision}" conf="{part}-&gt;default" transitive="false"/>'
                )
    IVY_LOCK.write_text("\n".join([*lines, "  </dependencies>", "</ivy-module>", ""]))


if __name__ == "__main__":
    main()
