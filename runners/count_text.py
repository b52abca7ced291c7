"""Count text: how many of what, in the singular where it is one."""

from collections.abc import Sequence


def count_text(count: int, noun: str) -> str:
    """Return `1 run`, `2 runs`, `0 batches`."""
    if count == 1:
        return f"1 {noun}"
    return f"{count} {noun}{'es' if noun.endswith(('ch', 's', 'x')) else 's'}"


def listed_problems(where: str, problems: Sequence[str], *, of: str) -> str:
    """Return one problem as a sentence, several as a list with their number before it.

    Args:
        where: file that has them.
        problems: each in words.
        of: what the file describes.
    """
    if len(problems) == 1:
        return f"{where}: {problems[0]}"
    lines = "\n".join(f"  {problem}" for problem in problems)
    return f"{where}: {count_text(len(problems), 'problem')} in {of}:\n{lines}"
