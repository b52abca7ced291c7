"""Discovery round: everything that may be an instrument, asked once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from instruments.address import is_adapter, is_serial
from instruments.discovery import GPIB_ADDRESSES, Asked, Found, Silent, ask, scan_adapter
from instruments.resource_list import ResourceList, list_resources

SERIAL_PROBLEM = "a serial line; not asked, for what is behind it may be a board's console that takes it for a command"
SERIAL_REMEDY = "name it with --address where it is an instrument's"


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What came of asking."""

    found: Sequence[Found]
    """Instruments that said who they are."""
    silent: Sequence[Silent]
    """Resource names where none did, each with the reason."""
    lacking: Sequence[str]
    """What could not be looked for, each with what to install."""
    asked: int
    """How many resource names were asked, an adapter counted as one."""


def survey(
    resources: Iterable[str],
    *,
    listing: bool,
    tell: Callable[[str], None],
    listed: Callable[[], ResourceList] = list_resources,
) -> Survey:
    """Ask at resource names, and at those that this computer lists; one after the other.

    Args:
        resources: VISA resource names of instruments and adapters.
        listing: whether to list too, which asks the local network by broadcast.
        tell: told what is being done, before it is.
        listed: lists.
    """
    names = list(resources)
    lacking: Sequence[str] = ()
    answers: list[Asked] = []
    if listing:
        tell("listing USB, GPIB, serial lines, and VXI-11 on the network")
        seen = listed()
        lacking = seen.lacking
        fresh = [name for name in seen.resources if name not in names]
        answers += [_serial(name) for name in fresh if is_serial(name)]
        names += [name for name in fresh if not is_serial(name)]
    for name in names:
        answers += _asked(name, tell)
    return Survey(
        found=[one for one in answers if isinstance(one, Found)],
        silent=[one for one in answers if isinstance(one, Silent)],
        lacking=lacking,
        asked=len(names),
    )


def _asked(name: str, tell: Callable[[str], None]) -> Iterator[Asked]:
    tell(f"asking {name}")
    if not is_adapter(name):
        yield ask(name)
        return
    yield from scan_adapter(name, on_address=_teller(name, tell))


def _teller(name: str, tell: Callable[[str], None]) -> Callable[[int], None]:
    """Return what tells of every GPIB address; it is told how far the scan has come."""

    def told(address: int) -> None:
        tell(f"asking {name}: GPIB address {address} ({GPIB_ADDRESSES.index(address) + 1} of {len(GPIB_ADDRESSES)})")

    return told


def _serial(name: str) -> Silent:
    return Silent(resource=name, problem=SERIAL_PROBLEM, remedy=SERIAL_REMEDY)
