"""Images of EnergyRunner's inference windows, from the counts of `results.txt`: which window has which."""

from collections.abc import Mapping, Sequence


def images_by_number(counts: Mapping[int, int], window_count: int) -> tuple[int | None, ...]:
    """Return the images of each inference window, whose numbers are 2, 4, 6, ...: stretches count from set-up's 1."""
    return tuple(counts.get(2 * position + 2) for position in range(window_count))


def images_of_found(counts: Mapping[int, int], confident: Sequence[bool]) -> tuple[int | None, ...]:
    """Return the images of windows that were found in the power, which have no numbers.

    Where all windows of the results have one count, each has it, whichever it is. Where counts differ, they are dealt
    out in order, and only if as many windows were found, all of them confident. Windows in doubt have no count.

    Args:
        counts: images by the number of the window, as `results.txt` tells them.
        confident: for each found window, in order, whether it is confident.
    """
    told = {number: count for number, count in counts.items() if number % 2 == 0}
    if sum(confident) > len(told):
        return (None,) * len(confident)
    if len(set(told.values())) == 1:
        (count,) = set(told.values())
        return tuple(count if sure else None for sure in confident)
    if all(confident) and sorted(told) == [2 * position + 2 for position in range(len(confident))]:
        return images_by_number(told, len(confident))
    return (None,) * len(confident)
