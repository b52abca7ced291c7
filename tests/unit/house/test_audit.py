"""The audit of what is installed: what counts as found, as clean, and as not asked."""

import importlib.util
import sys
from datetime import date
from types import ModuleType
from typing import Any

import pytest

from tests.unit.house.documents import REPOSITORY

TODAY = date(2026, 11, 26)


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", REPOSITORY / ".ci" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["audit"] = module
    spec.loader.exec_module(module)
    return module


def report(*vulnerabilities: str, known: int = 99, skipped: int = 1) -> dict[str, Any]:
    found = [{"id": name, "aliases": [f"CVE-{name}"], "fix_versions": ["2.0"]} for name in vulnerabilities]
    packages: list[dict[str, Any]] = [{"name": "weak", "version": "1.0", "vulns": found}]
    packages += [{"name": f"good-{number}", "version": "1.0", "vulns": []} for number in range(known - 1)]
    return {"dependencies": packages + [{"name": f"own-{number}", "skip_reason": "?"} for number in range(skipped)]}


def test_nothing_known_is_clean_and_says_what_was_not_looked_up(audit: ModuleType) -> None:
    verdict = audit.judged(report(), {}, today=TODAY)
    assert verdict.status == audit.CLEAN
    assert "99 packages; not looked up: own-0" in verdict.lines[0]


def test_a_known_one_fails(audit: ModuleType) -> None:
    verdict = audit.judged(report("PYSEC-1"), {}, today=TODAY)
    assert verdict.status == audit.VULNERABLE
    assert verdict.lines == ("weak 1.0: PYSEC-1, fixed in 2.0",)


@pytest.mark.parametrize("name", ["PYSEC-1", "CVE-PYSEC-1"])
def test_an_ignored_one_does_not_until_its_day(audit: ModuleType, name: str) -> None:
    ignored = audit.read_ignored(f"# why\n\n{name} 2026-11-26 only its server is weak\n")
    assert audit.judged(report("PYSEC-1"), ignored, today=TODAY).status == audit.CLEAN
    assert audit.judged(report("PYSEC-1"), ignored, today=date(2026, 11, 27)).status == audit.VULNERABLE
    assert audit.judged(report("PYSEC-1", "PYSEC-2"), ignored, today=TODAY).status == audit.VULNERABLE


@pytest.mark.parametrize("line", ["PYSEC-1", "PYSEC-1 2026-11-26", "PYSEC-1 soon because"])
def test_one_is_not_ignored_without_a_day_and_a_reason(audit: ModuleType, line: str) -> None:
    with pytest.raises(ValueError, match=r"want ID|isoformat"):
        audit.read_ignored(line)


@pytest.mark.parametrize(("known", "skipped"), [(1, 99), (80, 20)])
def test_a_service_that_knows_few_packages_has_said_nothing(audit: ModuleType, known: int, skipped: int) -> None:
    assert audit.judged(report(known=known, skipped=skipped), {}, today=TODAY) is None
    assert audit.judged({"dependencies": []}, {}, today=TODAY) is None


def test_the_committed_list_can_be_read(audit: ModuleType) -> None:
    audit.read_ignored(audit.IGNORED.read_text())
