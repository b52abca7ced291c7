"""The project's documents, and the blocks of code in them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[3]
RUN_MARK = "<!-- test: run -->"
"""Stands on the line before a `console` block whose commands a test runs as they are."""

_FENCE = re.compile(r"^( *)```(\w*)\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block of code."""

    path: Path
    """The document."""
    line: int
    """Where the block begins, counted from 1."""
    language: str
    """What the fence says, such as `console`; empty where it says nothing."""
    text: str
    """Content, without the fences."""
    runs: bool
    """Whether a test runs it."""

    def __str__(self) -> str:
        return f"{self.path.relative_to(REPOSITORY)}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """Commands of a `console` block: what follows `$ `, with continued lines joined."""
        joined = self.text.replace("\\\n", " ")
        return [line.strip()[2:] for line in joined.splitlines() if line.strip().startswith("$ ")]

    @property
    def outputs(self) -> list[str]:
        """Lines of a `console` block that are output; `...` stands for what may differ."""
        joined = self.text.replace("\\\n", " ")
        lines = (line.strip() for line in joined.splitlines())
        return [line for line in lines if line and line != "..." and not line.startswith(("$ ", "# "))]


def documents() -> list[Path]:
    """Return every document of the project."""
    return [*sorted(REPOSITORY.glob("*.md")), *sorted((REPOSITORY / "docs").rglob("*.md"))]


def blocks(*languages: str) -> list[Block]:
    """Return the blocks in these languages, over all documents."""
    return [block for path in documents() for block in _blocks(path) if block.language in languages]


def names_defined(page: str, name: str) -> dict[str, Any]:
    """Return all names that a page's one Python block defines, as printed, that defines this name among them."""
    wanted = re.compile(rf"^def {name}\(", re.MULTILINE)
    (code,) = [block.text for block in blocks("python") if block.path.name == page and wanted.search(block.text)]
    names: dict[str, Any] = {}
    exec(compile(code, page, "exec"), names)
    return names


def joulebench_arguments(command: str) -> list[list[str]]:
    """Return the arguments of each call of `joulebench` in a line of shell."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="|&;")
    lexer.whitespace_split = True
    calls: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= set("|&;"):
            calls.append([])
        else:
            calls[-1].append(word)
    found = []
    for words in calls:
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words.pop(0)
        if words and Path(words[0]).name == "joulebench":
            found.append([word for word in words[1:] if not re.match(r"^[0-9]?>", word)])
    return found


def _blocks(path: Path) -> Iterator[Block]:
    lines = path.read_text().splitlines()
    position = 0
    while position < len(lines):
        if opening := _FENCE.match(lines[position]):
            end = next(at for at in range(position + 1, len(lines)) if lines[at].strip() == "```")
            yield Block(
                path=path,
                line=position + 1,
                language=opening[2],
                text="\n".join(lines[position + 1 : end]) + "\n",
                runs=position > 0 and lines[position - 1].strip() == RUN_MARK,
            )
            position = end
        position += 1
