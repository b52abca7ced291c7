"""Campaign runs: which runs of a store belong to a campaign: by its journal, or else by how their identifiers begin."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from daemon.errors import StoreError
from daemon.report.material import LeftOut
from daemon.result_energy import EVERY_RUN
from daemon.store import Store
from runners.campaign.journal import read_journal
from runners.campaign.progress import CampaignProgress
from runners.errors import JournalError

_RUN = re.compile(r"(?P<campaign>.+)-\d{4,}-\d+")
"""CAMPAIGN-INDEX-ATTEMPT, as the campaign's driver names its runs."""
_SUFFIX = ".jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRuns:
    """A campaign as a report takes it."""

    campaign_id: str
    run_ids: frozenset[str]
    """Its runs in the store."""
    missing: tuple[LeftOut, ...] = ()
    """What was planned and is not in the store: only a journal tells."""


def campaign_runs(store: Store, campaign: str) -> CampaignRuns:
    """Return the runs of a campaign, named by its identifier or by its journal's file.

    Raises:
        StoreError: there is none; the text names the campaigns that there are.
    """
    if campaign.endswith(_SUFFIX):
        return _by_journal(store, Path(campaign))
    named = list(_named(store))
    if ours := frozenset(run_id for name, run_id in named if name == campaign):
        return CampaignRuns(campaign_id=campaign, run_ids=ours)
    raise StoreError(f"there is no run of a campaign {campaign!r}; campaigns with runs here: {_known(named)}")


def _by_journal(store: Store, path: Path) -> CampaignRuns:
    try:
        lines = read_journal(path)
    except JournalError as error:
        raise StoreError(str(error)) from error
    if not lines:
        raise StoreError(f"there is no journal {path}; campaigns with runs here: {_known(list(_named(store)))}")
    progress = CampaignProgress.of((), lines)
    tried = {run_id: one for one in progress.runs for run_id in one.run_ids}
    there = frozenset(run_id for run_id in tried if store.run(run_id) is not None)
    missing = [
        LeftOut(
            run_id=one.run_id or f"run {one.planned.index} of the plan",
            what=f"{one.planned.cell.network}, batch {one.planned.cell.batch_size}",
            state=one.state,
            why=str((one.best or {}).get("text") or (one.best or {}).get("reason") or "it is not in this store"),
        )
        for one in progress.runs
        if not there & set(one.run_ids)
    ]
    if not there:
        raise StoreError(f"no run of the campaign {progress.campaign_id!r} of {path} is in this store")
    return CampaignRuns(campaign_id=str(progress.campaign_id), run_ids=there, missing=tuple(missing))


def _named(store: Store) -> Iterator[tuple[str, str]]:
    for run in store.runs(EVERY_RUN):
        if found := _RUN.fullmatch(run.run_id):
            yield found["campaign"], run.run_id


def _known(named: list[tuple[str, str]]) -> str:
    return ", ".join(sorted({campaign for campaign, _ in named})[:10]) or "none"
