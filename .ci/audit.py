"""Audit of what is installed: known vulnerabilities, by pip-audit in an environment of its own.

python .ci/audit.py     exit status 0: none known; 1: some are; 3: nobody could be asked

pip-audit says "no known vulnerabilities" as well where the service knows none of the packages (a mirror without the
advisories), so its word is only taken for those that it really looked up.
"""

import json
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

PIP_AUDIT = "pip-audit==2.10.1"
PLACE = Path(__file__).resolve().parent.parent / ".venv-audit"
IGNORED = Path(__file__).resolve().parent / "audit-ignored"
"""Vulnerabilities that do not concern us: a line each, `ID YEAR-MONTH-DAY reason`; after that day it counts again."""
SERVICES = ("pypi", "osv")
LEAST_SHARE = 0.9
"""Share of the packages that a service has to know; torch's builds of their own and joulebench are on none."""
DEADLINE_S = 600.0
CLEAN, VULNERABLE, NOT_ASKED = 0, 1, 3


@dataclass(frozen=True)
class Verdict:
    """What the audit comes to."""

    status: int
    """Exit status."""
    lines: tuple[str, ...]
    """What is said of it."""


def judged(report: Mapping[str, Any], ignored: Mapping[str, date], *, today: date) -> Verdict | None:
    """Return what a report of pip-audit says; None where the service knew too few of the packages to say anything."""
    packages = report["dependencies"]
    known = [one for one in packages if "vulns" in one]
    if not packages or len(known) < LEAST_SHARE * len(packages):
        return None
    found = list(_found(known, ignored, today=today))
    if found:
        return Verdict(VULNERABLE, tuple(found))
    skipped = sorted(one["name"] for one in packages if "vulns" not in one)
    rest = f"; not looked up: {', '.join(skipped)}" if skipped else ""
    return Verdict(CLEAN, (f"no known vulnerability in {len(known)} packages{rest}",))


def _found(packages: Sequence[Mapping[str, Any]], ignored: Mapping[str, date], *, today: date) -> Iterator[str]:
    for package in packages:
        for one in package["vulns"]:
            names = {one["id"], *one.get("aliases", ())}
            if any(name in ignored and today <= ignored[name] for name in names):
                continue
            fixed = ", ".join(one.get("fix_versions", ())) or "no version yet"
            yield f"{package['name']} {package['version']}: {one['id']}, fixed in {fixed}"


def read_ignored(text: str) -> dict[str, date]:
    """Return until when each vulnerability is ignored; raise ValueError where a line has no day or no reason."""
    ignored = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.strip().partition(" ")
        day, _, reason = rest.strip().partition(" ")
        if not reason.strip():
            raise ValueError(f"{IGNORED}: {line!r}: want ID YEAR-MONTH-DAY reason")
        ignored[name] = date.fromisoformat(day)
    return ignored


def main() -> int:
    """Ask each service until one knows the packages."""
    ignored = read_ignored(IGNORED.read_text("utf-8"))
    for service in SERVICES:
        say(f"asking {service} about what is installed")
        report = _asked(service)
        verdict = report and judged(report, ignored, today=datetime.now(UTC).date())
        if verdict:
            for line in verdict.lines:
                say(line)
            return verdict.status
    say(f"AUDIT NOT DONE: none of {', '.join(SERVICES)} could be asked from here; run `make audit` where one can")
    return NOT_ASKED


def _asked(service: str) -> dict[str, Any] | None:
    """Return pip-audit's report; None where it has none to give."""
    packages = sysconfig.get_path("purelib")
    words = [PLACE / "bin" / "pip-audit", "--path", packages, "-s", service, "-f", "json", "--progress-spinner", "off"]
    try:
        if not words[0].exists():
            subprocess.run([sys.executable, "-m", "venv", PLACE], check=True, capture_output=True, timeout=DEADLINE_S)
            install = [PLACE / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", PIP_AUDIT]
            subprocess.run(install, check=True, capture_output=True, timeout=DEADLINE_S)
        done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
        return dict(json.loads(done.stdout))
    except (subprocess.SubprocessError, OSError, ValueError) as error:
        say(f"{service}: {type(error).__name__}")
        return None


def say(text: str) -> None:
    """Tell whoever runs it."""
    sys.stderr.write(f"audit: {text}\n")


if __name__ == "__main__":
    sys.exit(main())
