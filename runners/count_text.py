"""Count text: how many of what, in the singular where it is one."""


def count_text(count: int, noun: str) -> str:
    """Return `1 run`, `2 runs`, `0 batches`."""
    if count == 1:
        return f"1 {noun}"
    return f"{count} {noun}{'es' if noun.endswith(('ch', 's', 'x')) else 's'}"
