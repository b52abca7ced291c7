"""`joulebench networks`, as a user calls it."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from daemon.cli.networks import app
from runners.errors import UnknownNetwork, WorkloadError
from runners.networks.paper import PAPER_VALUES
from tests.unit.runners.published_definitions import DEFINITIONS, published_macs, published_params

PUBLISHED = list(csv.DictReader((Path(__file__).parent / "published_networks.csv").read_text().splitlines()))
"""The study's own table, as published with it: sizes of each network, and what its figures plot."""


def printed(*arguments: str) -> str:
    outcome = CliRunner().invoke(app, [*arguments], catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout


def shown(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(printed("show", name, "--json"))
    return document


class TestTheList:
    def test_it_is_one_document_with_the_exact_sizes(self) -> None:
        assert json.loads(printed("--json")) == [
            {
                "name": row["name"],
                "display_name": row["display_name"],
                "params": int(row["params"]),
                "macs": int(row["macs"]),
                "ops": 2 * int(row["macs"]),
                "input_px": int(row["input_px"]),
                "literature_top1_pct": float(row["paper_top1_pct"]),
                "literature_top1_source": row["top1_source"],
            }
            for row in PUBLISHED
        ]
        assert len(PUBLISHED) == 14

    def test_the_published_table_agrees_with_the_networks_definitions(self) -> None:
        sizes = [(row["name"], int(row["params"]), int(row["macs"])) for row in PUBLISHED]
        assert sizes == [(name, published_params(name), published_macs(name)) for name in DEFINITIONS]

    def test_a_table_for_people(self) -> None:
        text = printed()
        numbers = r" +([\d,]+) │" * 3
        rows = re.findall(rf"^│ (\w+) +│ (\d+) +│{numbers} +([\d.]+) │$", text, re.MULTILINE)
        assert [row[0] for row in rows] == list(DEFINITIONS)
        assert rows[7] == ("resnet18", "224", "11,689,512", "1,814,073,344", "3,628,146,688", "69.57")
        heading = next(line for line in text.splitlines() if "multiply-accumulates" in line)
        assert heading.rstrip("┃ ").endswith("literature top-1 / %")

    def test_counting_again_counts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from runners.networks.catalogue import NETWORKS, NetworkSpec

        wrong = NetworkSpec(name="bn_nin", display_name="BN-NIN", input_px=224, params=1, macs=1)
        monkeypatch.setattr("daemon.cli.networks.NETWORKS", (wrong, NETWORKS[0]))
        nin, alexnet = json.loads(printed("--json", "--count"))
        assert (nin["params"], nin["macs"]) == (published_params("bn_nin"), published_macs("bn_nin"))
        assert alexnet == json.loads(printed("--json"))[1]

    @pytest.mark.parametrize("option", ["--json", "--count"])
    def test_an_option_before_a_verb_is_refused_rather_than_ignored(self, option: str) -> None:
        outcome = CliRunner().invoke(app, [option, "show", "alexnet"], env={"COLUMNS": "200"})
        assert outcome.exit_code == 2
        assert f"{option} stands before 'show'" in outcome.stderr


class TestShow:
    @pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row["name"])
    def test_each_network_counts_to_the_published_table_by_its_layers(self, row: dict[str, str]) -> None:
        document = shown(row["name"])
        assert document["display_name"] == row["display_name"]
        assert document["layers"][0]["output_shape"][0] == 1
        assert sum(layer["params"] for layer in document["layers"]) == document["params"] == int(row["params"])
        assert sum(layer["macs"] for layer in document["layers"]) == document["macs"] == int(row["macs"])
        paper = document["paper"]
        assert paper.pop("remark") == PAPER_VALUES[row["name"]].remark
        assert paper == {
            "literature_top1_pct": float(row["paper_top1_pct"]),
            "literature_top1_source": row["top1_source"],
            "gops": float(row["paper_gops"]),
            "mparams": float(row["paper_mparams"]),
        }

    def test_it_is_one_document_with_each_layer(self) -> None:
        document = shown("resnet18")
        layers = {layer["name"]: layer for layer in document["layers"]}
        assert layers["layer2.0.downsample.0"] == {
            "name": "layer2.0.downsample.0",
            "kind": "Conv2d",
            "calls": 1,
            "output_shape": [1, 128, 28, 28],
            "params": 64 * 128,
            "macs": 28 * 28 * 64 * 128,
            "ops": 2 * 28 * 28 * 64 * 128,
            "ops_paper": 2 * 28 * 28 * 64 * 128,
        }
        assert layers["layer1.0"]["ops_paper"] == 64 * 56 * 56
        for key in ("params", "macs", "ops", "ops_paper"):
            assert sum(layer[key] for layer in document["layers"]) == document[key], key

    def test_the_paper_stands_beside_it(self) -> None:
        document = shown("alexnet")
        assert (document["name"], document["display_name"], document["input_px"]) == ("alexnet", "AlexNet", 224)
        assert document["paper"] == {
            "literature_top1_pct": 54.61,
            "gops": 2.26,
            "mparams": 60.97,
            "literature_top1_source": "imagenet-validation.torch (bvlc_alexnet)",
            "remark": PAPER_VALUES["alexnet"].remark,
        }

    def test_a_table_for_people(self) -> None:
        text = printed("show", "alexnet")
        assert "AlexNet: one image of 224 px" in text
        first = ["features.0.conv", "96x54x54", "34,944", "101,616,768", "203,233,536", "203,513,472"]
        name, kind, shape, *numbers = next(row for row in table(text) if row[0] == first[0])
        assert [name, kind, shape.replace(" ", ""), *numbers] == [first[0], "Conv2d", *first[1:]]
        assert next(row for row in table(text) if row[0] == "total")[3:6] == [
            "60,965,224",
            "720,608,384",
            "1,441,216,768",
        ]
        assert "The paper gives 2.26 G operations, 60.97 M parameters; the paper counts grouped" in text
        assert "Literature, not measured here: top-1 54.61 %, imagenet-validation.torch (bvlc_alexnet)." in text

    def test_nothing_that_costs_nothing_is_left_out(self) -> None:
        kinds = {layer["kind"] for layer in shown("alexnet")["layers"]}
        assert kinds == {"Conv2d", "ReLU", "ResponseNorm", "MaxPool2d", "Flatten", "Linear", "Dropout"}

    def test_an_unknown_name_is_an_error_that_names_the_known(self) -> None:
        outcome = CliRunner().invoke(app, ["show", "lenet"])
        assert isinstance(outcome.exception, UnknownNetwork)
        assert "googlenet" in str(outcome.exception)

    def test_missing_torch_is_one_sentence_with_what_to_do(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("daemon.cli.board_torch.find_spec", lambda name: None)
        outcome = CliRunner().invoke(app, ["show", "alexnet"])
        assert isinstance(outcome.exception, WorkloadError)
        assert 'pip install "joulebench[board]"' in str(outcome.exception)


def table(text: str) -> list[list[str]]:
    """Return the cells of each row."""
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in text.splitlines() if line.startswith("│")]
