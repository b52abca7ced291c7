"""Reference pages: messages, topics, files, tables, options and terms are those of the source."""

import ast
import json
import os
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import runners.messages
from calibration.certificate import Certificate
from calibration.document import text_to_certificate
from calibration.kinds import KINDS
from daemon.capture_table import read_description
from daemon.captures import CaptureFiles
from daemon.configuration import Configuration, load_configuration
from daemon.imports.import_analysis import LABELS
from daemon.tables import metadata
from instruments.simulated.addresses import BenchAddresses
from metrology.capture import Capture
from metrology.measurement_model import ZERO_DRIFT
from runners.accuracy.preprocessing import PREPROCESSING
from runners.messages import Message, RunPhase, decode
from runners.networks.build import build_network
from runners.networks.catalogue import NETWORKS
from runners.networks.paper import PAPER_VALUES
from runners.topics import ROOT, TopicKind, shapes
from tests.unit.daemon.example_capture import example_capture
from tests.unit.house.command_reference import DOCUMENT, MARK, commands, reference
from tests.unit.house.documents import REPOSITORY, documents

DOCS = REPOSITORY / "docs"
MARKED = re.compile(r"^<!-- (message|test): (.+?) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANCHOR = re.compile(r"\[[^\]]*\]\(([^)#:]*)#([^)]+)\)")


def marked(path: Path, kind: str) -> list[tuple[str, str]]:
    """Return the blocks that a comment of this kind marks, with what the comment says."""
    return [(what, text) for found, what, text in MARKED.findall(path.read_text()) if found == kind]


def message_classes() -> dict[str, type[Message]]:
    everything = vars(runners.messages).values()
    classes = [one for one in everything if isinstance(one, type) and issubclass(one, Message) and one is not Message]
    return {one.__name__: one for one in classes}


EXAMPLES = marked(DOCS / "reference" / "mqtt.md", "message")


@pytest.mark.parametrize(("name", "text"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_each_example_message_is_what_it_claims_to_be(name: str, text: str) -> None:
    cls = message_classes()[name]
    decode(cls, text.encode(), topic=name)
    assert set(json.loads(text)) <= set(cls.model_fields), "an unknown key would be ignored, and mislead"


def test_each_message_has_an_example() -> None:
    assert {name for name, _ in EXAMPLES} == set(message_classes())


def test_each_topic_is_listed() -> None:
    text = (DOCS / "reference" / "mqtt.md").read_text()
    listed = set(re.findall(r"^\| `([a-z{}_/]+)` \|", text.split("## Topics")[1].split("\n## ")[0], re.MULTILINE))
    assert listed == {shape.removeprefix(f"{ROOT}/{{bench}}/") for shape in shapes().values()}
    assert len(listed) == len(TopicKind)


@pytest.mark.parametrize("page", ["reference/mqtt.md", "explanations/one-run.md"])
def test_each_state_of_a_run_is_told(page: str) -> None:
    text = (DOCS / page).read_text()
    assert not [phase.value for phase in RunPhase if phase.value not in text]


def test_each_table_and_column_is_listed() -> None:
    text = (DOCS / "reference" / "files.md").read_text().split("## Database")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", text, re.MULTILINE))
    told = {table: set(re.findall(r"`(\w+)`", columns)) for table, columns in rows.items()}
    assert told == {name: {column.name for column in table.columns} for name, table in metadata.tables.items()}


def test_the_ready_file_is_the_simulations() -> None:
    ((_, text),) = [one for one in marked(DOCS / "reference" / "files.md", "test") if one[0] == "ready file"]
    document = json.loads(text)
    assert set(document) == {field.name for field in fields(BenchAddresses)}
    BenchAddresses(**document)


@pytest.mark.parametrize(("kind", "cls"), KINDS.items(), ids=list(KINDS))
def test_each_certificate_is_one(kind: str, cls: type[Certificate]) -> None:
    ((_, text),) = [one for one in marked(DOCS / "reference" / "files.md", "test") if one[0] == f"certificate {kind}"]
    assert type(text_to_certificate(text)) is cls
    assert set(json.loads(text)["certificate"]) == {"kind", *(field.name for field in fields(cls))}


def stored_capture(folder: Path) -> tuple[Path, Capture]:
    capture = example_capture(np.random.default_rng(1))
    return CaptureFiles(folder).write("example-0", capture, {"run_id": "example"}).path, capture


def test_each_key_of_a_captures_description_is_listed(tmp_path: Path) -> None:
    description = read_description(stored_capture(tmp_path)[0])
    text = (DOCS / "reference" / "files.md").read_text().split("## Capture")[1].split("\n## ")[0]
    keys = {key for row in re.findall(r"^\| (`[a-z_`, ]+) \|", text, re.MULTILINE) for key in re.findall(r"\w+", row)}
    columns = {"current_counts", "voltage_counts", "marker_pod_counts"}
    assert keys - columns == set(description)
    assert columns == keys & columns


def test_the_code_that_reads_a_capture_reads_one(tmp_path: Path) -> None:
    path, capture = stored_capture(tmp_path)
    ((_, code),) = [one for one in marked(DOCS / "reference" / "files.md", "test") if one[0] == "capture"]
    names: dict[str, Any] = {"path": path}
    exec(compile(code, "files.md", "exec"), names)
    np.testing.assert_allclose(names["current_a"], capture.current.values, rtol=1e-12, equal_nan=True)
    base = capture.time_base
    assert names["time_s"][-1] == pytest.approx(base.origin_s + base.interval_s * (base.sample_count - 1))
    np.testing.assert_array_equal(names["marker"].astype(bool), capture.marker_levels())


def test_the_command_line_is_that_of_the_program() -> None:
    again = "write it again: python -m tests.unit.house.command_reference"
    assert DOCUMENT.read_text().partition(MARK)[2].strip() == reference().strip(), again


def test_the_reference_holds_every_verb_and_option() -> None:
    verbs = dict(commands())
    assert {"joulebench demo", "joulebench runs start", "joulebench import energyrunner"} <= set(verbs)
    for words, command in verbs.items():
        section = reference().split(f"## `{words}")[1].split("\n## ")[0]
        options = [name for one in command.params for name in one.opts if name.startswith("--") and name != "--help"]
        assert options
        assert not [name for name in options if f"`{name}" not in section], words


def test_each_verb_with_json_says_what_its_document_holds() -> None:
    head = DOCUMENT.read_text().partition(MARK)[0]
    wanted = {
        words.removeprefix("joulebench ")
        for words, command in commands()
        if any("--json" in one.opts for one in command.params)
    }
    assert set(re.findall(r"^\| `([a-z0-9 ]+)` \|", head, re.MULTILINE)) == wanted


def budget_terms() -> set[str]:
    """Return the name of each term that the model adds: as it is written at the call, or given a name before it."""
    named = {ZERO_DRIFT, "probe gain", "probe zero"}
    for module in ("uncertainty.py", "measurement_model.py"):
        tree = ast.parse((REPOSITORY / "metrology" / module).read_text())
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
        first = [one.args[0] for one in calls if getattr(one.func, "attr", "") == "add" and one.args]
        named |= {name.value for name in first if isinstance(name, ast.Constant) and isinstance(name.value, str)}
    return named


def test_each_term_of_the_budget_is_explained() -> None:
    text = (DOCS / "explanations" / "uncertainty.md").read_text().split("## The terms")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `([a-z0-9 -]+)` \|", text, re.MULTILINE)) == budget_terms() | set(LABELS.values())
    assert len(budget_terms()) == 21


def test_each_key_of_the_configuration_that_a_document_names_exists() -> None:
    sections = {name: set(field.annotation.model_fields) for name, field in configuration_sections().items()}
    named = re.compile(rf"`({'|'.join(sections)})\.([a-z_]+)(\*?)`")
    found = [(path, *key) for path in documents() for key in named.findall(path.read_text())]
    assert found
    unknown = [
        (path, f"{section}.{key}")
        for path, section, key, star in found
        if not any(one == key or (star and one.startswith(key)) for one in sections[section])
    ]
    assert not unknown


def configuration_sections() -> dict[str, Any]:
    return dict(Configuration.model_fields)


def test_each_environment_variable_of_a_console_block_is_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\n".join(path.read_text() for path in documents())
    names = set(re.findall(r"^\$ export (JOULEBENCH_[A-Z_]+)=", text, re.MULTILINE))
    assert names
    for name in names:
        section, _, key = name.removeprefix("JOULEBENCH_").lower().partition("__")
        assert key in configuration_sections()[section].annotation.model_fields, name
    monkeypatch.setattr(os, "environ", dict(os.environ) | {"JOULEBENCH_MQTT__PORT": "1884"})
    assert load_configuration(REPOSITORY / "examples" / "joulebench.toml").mqtt.port == 1884


def test_the_networks_are_those_of_the_catalogue_and_the_paper() -> None:
    sizes, paper = (DOCS / "reference" / "networks.md").read_text().split("## What the paper gives")
    assert re.findall(r"^\| `(\w+)` \| (.+?) \| (\d+) \| ([\d,]+) \| ([\d,]+) \|$", sizes, re.MULTILINE) == [
        (one.name, one.display_name, str(one.input_px), f"{one.params:,}", f"{one.macs:,}") for one in NETWORKS
    ]
    assert re.findall(r"^\| `(\w+)` \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| (.*?) ?\|$", paper, re.MULTILINE) == [
        (name, f"{one.gops:.2f}", f"{one.mparams:.2f}", f"{one.literature_top1_pct:.2f}", one.remark)
        for name, one in PAPER_VALUES.items()
    ]


def test_what_is_done_to_each_networks_images_is_that_of_the_source() -> None:
    text = (DOCS / "reference" / "networks.md").read_text().split("## What is done to an image")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", text, re.MULTILINE)
    assert [(name, cells.split(" | ")) for name, cells in rows] == [
        (
            one.name,
            [
                *(str(done.resize_px), str(done.crop_px), done.interpolation.value, done.channels.value),
                *(
                    f"{done.full_scale:g}",
                    *(", ".join(f"{x:.6g}" for x in three) for three in (done.mean, done.deviation)),
                ),
            ],
        )
        for one in NETWORKS
        for done in (PREPROCESSING[one.name],)
    ]


def run_example(page: str, name: str) -> dict[str, Any]:
    ((_, code),) = [one for one in marked(DOCS / "reference" / page, "test") if one[0] == name]
    names: dict[str, Any] = {}
    exec(compile(code, page, "exec"), names)
    return names


def test_the_code_that_counts_a_module_counts_it(capsys: pytest.CaptureFixture[str]) -> None:
    run_example("networks.md", "counting")
    assert capsys.readouterr().out == "650 640 1280 1300\n0 Linear (1, 10) 640\n1 ReLU (1, 10) 0\n"


def test_the_code_that_loads_weights_loads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    published = build_network("inception_v3", seed=7).state_dict() | {"AuxLogits.fc.bias": torch.zeros(1000)}
    monkeypatch.setattr(torch, "load", lambda path, *, weights_only: published)
    network = run_example("networks.md", "weights")["network"]
    assert torch.equal(network.fc.weight, published["fc.weight"])


def headings(path: Path) -> set[str]:
    """Return the anchors of a document as GitHub makes them."""
    found = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_into_a_page_lead_to_a_heading(path: Path) -> None:
    broken = [
        f"{target}#{anchor}"
        for target, anchor in ANCHOR.findall(path.read_text())
        if anchor not in headings(path.parent / target if target else path)
    ]
    assert not broken


def test_the_index_names_every_document() -> None:
    index = DOCS / "README.md"
    linked = {(DOCS / target).resolve() for target in re.findall(r"\]\(([^)#]+)\)", index.read_text())}
    missing = [str(path) for path in documents() if path.is_relative_to(DOCS) and path not in linked | {index}]
    assert not missing
