"""Campaign runs: which runs of a store belong to a campaign; their identifiers begin with its own."""

import re

from daemon.errors import StoreError
from daemon.result_energy import EVERY_RUN
from daemon.store import Store

_RUN = re.compile(r"(?P<campaign>.+)-\d{4,}-\d+")
"""CAMPAIGN-INDEX-ATTEMPT, as the campaign's driver names its runs."""


def campaign_runs(store: Store, campaign_id: str) -> frozenset[str]:
    """Return the identifiers of a campaign's runs.

    Raises:
        StoreError: there is none; the text names the campaigns that there are.
    """
    named = [(found["campaign"], run.run_id) for run in store.runs(EVERY_RUN) if (found := _RUN.fullmatch(run.run_id))]
    if ours := frozenset(run_id for campaign, run_id in named if campaign == campaign_id):
        return ours
    known = ", ".join(sorted({campaign for campaign, _ in named})[:10]) or "none"
    raise StoreError(f"there is no run of a campaign {campaign_id!r}; campaigns with runs here: {known}")
