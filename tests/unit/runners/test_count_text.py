"""One is in the singular."""

import pytest

from runners.count_text import count_text, listed_problems
from runners.workload import Preparation


@pytest.mark.parametrize(
    ("count", "noun", "text"),
    [
        (0, "run", "0 runs"),
        (1, "run", "1 run"),
        (2, "batch", "2 batches"),
        (1, "batch", "1 batch"),
        (3, "box", "3 boxes"),
    ],
)
def test_counts_have_their_noun(count: int, noun: str, text: str) -> None:
    assert count_text(count, noun) == text


def test_a_preparation_is_a_phrase_in_the_log_and_no_code() -> None:
    made = Preparation(network="enet", device="torch, CPU", warmup_batches=1, duration_s=5.53, backend="torch-cpu")
    assert str(made) == "enet is warm by torch-cpu on torch, CPU, 1 batch beforehand, in 5.5 s"


def test_one_problem_is_a_sentence_and_several_are_a_list() -> None:
    assert listed_problems("a.toml", ["x is bad"], of="the file") == "a.toml: x is bad"
    assert listed_problems("a.toml", ["x", "y"], of="the file") == "a.toml: 2 problems in the file:\n  x\n  y"
