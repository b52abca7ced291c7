"""Material: what is read of runs of every sort, with what they were measured, and what is left out and why."""

import json
import re
from pathlib import Path

import pytest

from calibration.store import CertificateStore
from daemon.captures import CaptureFiles
from daemon.errors import StoreError
from daemon.report.campaign_runs import campaign_runs
from daemon.report.material import Material, read_material
from daemon.report.network_table import tables_of
from daemon.report.spectrum_figure import spectrum_figure
from daemon.report.statements import facts_of, left_out_of, summary_of
from daemon.store import Store
from tests.unit.calibration.example_certificate import CERTIFICATE
from tests.unit.daemon.example_result import example_result, quantity
from tests.unit.daemon.report.campaign_store import CAMPAIGN, RIPPLE_HZ, add_capture, add_cell, write_store


def material_of(directory: Path, **how: object) -> Material:
    certificates = CertificateStore(directory / "certificates")
    with store_of(directory) as store:
        return read_material(
            store, title="t", files=CaptureFiles(directory / "captures"), certificates=certificates, **how
        )


def store_of(directory: Path) -> Store:
    return Store(f"sqlite:///{directory / 'joulebench.sqlite'}")


def import_run(store: Store, run_id: str, **changes: object) -> None:
    """Enter a run as another instrument's file makes one: no supply, no board's report, next to no facts."""
    store.create_run(
        run_id=run_id, board="imported", network="my-own", batch_size=1, precision="unknown",
        images_planned=None, captures=1,
    )  # fmt: skip
    for state in ("armed", "captured", "analysing"):
        store.record(run_id, event=state, state=state)
    bare = {
        "v": 1,
        "run_id": run_id,
        "result_id": f"{run_id}-r",
        "network": "my-own",
        "batch_size": 1,
        "quality": "valid",
    }
    bare |= {"at_utc_ns": 1_790_000_000_000_000_000, "gross_energy_per_image_j": quantity(0.5, 0.1)}
    store.add_result({**dict.fromkeys(example_result(run_id=run_id, result_id="r")), **bare, **changes})
    store.record(run_id, event="analysed", state="done")


def test_repeats_are_one_cell_and_their_scatter_its_error_bar(tmp_path: Path) -> None:
    with store_of(tmp_path) as store:
        for k, image_s in enumerate((0.10, 0.11, 0.12)):
            add_cell(store, f"a-{k}", "enet", 1, image_s, 10.0 + 0.1 * k, "valid" if k else "degraded")
    (cell,) = material_of(tmp_path).cells
    assert (cell.run_ids, cell.degraded_runs) == (("a-0", "a-1", "a-2"), 1)
    assert cell.image_s is not None
    assert cell.image_s.value == pytest.approx(0.11)
    assert cell.image_s.u95 == pytest.approx(4.3027 * 0.01 / 3**0.5, rel=1e-4)  # Student's t of 2
    assert cell.net_power_w is not None
    # The gain alone (1 % of the energy by the square root of its share) and the scatter: no zero, and not the time's.
    assert cell.net_power_w.u95 == pytest.approx(
        (((2 * 0.01 * 0.5**0.5) * 10.1) ** 2 + (4.3027 * 0.1 / 3**0.5) ** 2) ** 0.5, rel=1e-4
    )
    assert tables_of(material_of(tmp_path))[2].rows[0][-1] == "degraded 1 of 3: calibration missing"


def test_batches_that_scatter_in_time_do_not_make_the_mean_power_unsure(tmp_path: Path) -> None:
    with store_of(tmp_path) as store:
        for k in range(2):
            add_cell(store, f"a-{k}", "enet", 1, 0.1, 10.0 + 0.1 * k, "valid")
            result = store.latest_result(f"a-{k}")
            assert result is not None
            store.add_result(
                {**result.document, "result_id": f"again-{k}", "mean_power_w": quantity(11.3, 55.0), "at_utc_ns":
                 result.document["at_utc_ns"] + 1}
            )  # fmt: skip
    (cell,) = material_of(tmp_path).cells
    assert cell.power_w is not None
    assert cell.net_power_w is not None
    assert cell.idle_w is not None
    assert cell.power_w.value == pytest.approx(11.3)
    assert cell.power_w.u95 == pytest.approx(cell.net_power_w.u95 + cell.idle_w.u95)
    assert cell.power_w.u95 < 4


def test_a_degraded_rows_reason_is_explained_below_the_table(tmp_path: Path) -> None:
    with store_of(tmp_path) as store:
        add_cell(store, "a", "enet", 1, 0.1, 10.0, "degraded")
        add_cell(store, "b", "vgg16", 1, 0.1, 10.0, "valid")
        document = store.latest_result("a").document  # type: ignore[union-attr]
    (reason,) = document["reasons"]
    for table in (tables_of(material_of(tmp_path))[0], tables_of(material_of(tmp_path))[2]):
        assert table.notes[-1] == (
            f"Degraded: usable with the reason in mind. Calibration missing, in one run: {reason['text']}."
        )
    with store_of(tmp_path / "valid") as store:
        add_cell(store, "b", "vgg16", 1, 0.1, 10.0, "valid")
    assert not any("Degraded" in note for note in tables_of(material_of(tmp_path / "valid"))[0].notes)


def test_without_repeats_the_net_energys_own_interval_stands_in(tmp_path: Path) -> None:
    with store_of(tmp_path) as store:
        add_cell(store, "a", "enet", 1, 0.1, 10.0, "valid")
    (cell,) = material_of(tmp_path).cells
    assert cell.net_power_w is not None
    assert cell.net_power_w.u95 == pytest.approx(0.2)
    assert cell.own_net_power_w == 0


def test_instruments_of_all_captures_and_the_certificates_values_stand_in_it(tmp_path: Path) -> None:
    write_store(tmp_path, networks=1, batch_sizes=(1, 2, 4))
    add_capture(tmp_path, f"{CAMPAIGN}-0001-1")
    add_capture(tmp_path, f"{CAMPAIGN}-0002-1")
    add_capture(tmp_path, f"{CAMPAIGN}-0003-1", identity="Another scope,2")
    (tmp_path / "captures" / f"{CAMPAIGN}-0002-1-0.parquet").write_bytes(b"damaged")
    CertificateStore(tmp_path / "certificates").add(CERTIFICATE)
    with store_of(tmp_path) as store:
        result = store.latest_result(f"{CAMPAIGN}-0001-1")
        assert result is not None
        again = {**result.document, "result_id": "again", "certificate_ids": [CERTIFICATE.certificate_id, "gone"]}
        store.add_result(again | {"at_utc_ns": again["at_utc_ns"] + 1})
    facts = dict(facts_of(material_of(tmp_path)))
    assert set(facts["oscilloscope"]) == {"Lab scope,1 (1)", "Another scope,2 (1)"}
    assert facts["probe"] == ("1146B",)
    first, gone, none = facts["calibration certificates"]
    assert "bench1-2026-05 (gain), made 2026-05-28" in first
    assert "gain 1.0123 ± 0.0022" in first
    assert gone.startswith("gone: its file cannot be read here")
    assert none.startswith("2 runs used none")
    assert facts["captures"][0] == "2 read"
    assert "0002-1-0.parquet" in facts["captures"][1]
    assert facts["settings"] == ("50000 samples at 50 kSa/s, 0.2 A/div about 0.6 A, supply 19.0 V",)


def test_an_imported_run_with_next_to_no_facts_is_reported(tmp_path: Path) -> None:
    with store_of(tmp_path) as store:
        import_run(store, "from-a-file")
    material = material_of(tmp_path)
    row = tables_of(material)[0].rows[0]
    assert row[:2] == ("my-own", "1")
    assert row[6:] == ("-", "-", "500 ± 100", "-", "2.00 ± 0.40", "-", "valid")
    facts = dict(facts_of(material))
    assert facts["instruments"] == ("not known: no capture says",)
    assert facts["software"] == ("joulebench not known",)
    assert not material.provenance.simulated


def test_each_bench_is_a_row_of_its_own_and_says_which(tmp_path: Path) -> None:
    for bench, net_w in (("a", 10.0), ("b", 20.0)):
        with Store(f"sqlite:///{tmp_path / 'joulebench.sqlite'}", bench=bench) as store:
            for number in (1, 2):
                add_cell(store, f"{bench}-{number}", "alexnet", 1, 0.01, net_w, "valid")
    material = material_of(tmp_path)
    assert [cell.run_ids for cell in material.cells] == [("a-1", "a-2"), ("b-1", "b-2")]
    assert [cell.gross_j.value for cell in material.cells] == pytest.approx([0.113, 0.213])
    names = [row[0] for row in tables_of(material)[2].rows]
    assert names == ["AlexNet (made-up, fp32, bench a)", "AlexNet (made-up, fp32, bench b)"]
    assert "show made-up, fp32, bench a, which" in summary_of(material)[2]


def test_imports_are_told_apart_by_their_recorder_and_say_what_is_known_of_its_errors(tmp_path: Path) -> None:
    js220 = {"gain": 0.0025, "offset_a": 1.5e-3, "current_source": "the maker's word"}
    with Store(f"sqlite:///{tmp_path / 'joulebench.sqlite'}", bench="imports") as store:
        for run_id in ("js-1", "js-2", "ppk", "energies", "gone"):
            add_cell(store, run_id, "alexnet", 1, 0.01, 10.0, "valid")
        store.record("gone", event="imported", state="done", detail={"file": "x.jls"})
    for run_id in ("js-1", "js-2"):
        add_capture(tmp_path, run_id, identity="JS220", recording={"identity": "JS220 7", "accuracy": js220})
    add_capture(tmp_path, "ppk", identity="PPK2", recording={"identity": "PPK2", "accuracy": {}})
    energies = {"identity": "EnergyRunner", "has_current": False, "accuracy": {"gain": 0.01, "voltage_offset_v": 0.1}}
    add_capture(tmp_path, "energies", identity="EnergyRunner", recording=energies)
    material = material_of(tmp_path)
    assert {cell.run_ids for cell in material.cells} == {("js-1", "js-2"), ("ppk",), ("energies",), ("gone",)}
    names = {row[0] for row in tables_of(material)[2].rows}
    assert {"AlexNet (made-up, fp32, JS220 7)", "AlexNet (made-up, fp32, PPK2)"} < names
    facts = dict(facts_of(material))
    assert facts["imported from"] == (
        "JS220 7: current ±0.25 % ±0.0015 A (the maker's word), voltage (nobody said how far it may be off) (2 runs)",
        "PPK2: current (nobody said how far it may be off), voltage (nobody said how far it may be off) (1 run)",
        "EnergyRunner: energy ±1 % zero not given (as given), voltage gain not given ±0.1 V (as given) (1 run)",
        "imported; no capture is kept that says from what, and how far it may be off (1 run)",
    )
    assert "calibration certificates" not in facts, "no data sheet of the bench stands for an imported run"


def test_what_is_left_out_says_why(tmp_path: Path) -> None:
    write_store(tmp_path, networks=1, batch_sizes=(1,))
    with store_of(tmp_path) as store:
        store.create_run(
            run_id="broken", board="made-up", network="vgg16", batch_size=2, precision="fp32",
            images_planned=None, captures=1,
        )  # fmt: skip
        store.record("broken", event="failed", state="failed", reason="instrument", text="the scope fell silent")
        import_run(store, "empty", gross_energy_per_image_j=None)
    material = material_of(tmp_path)
    assert sorted(left_out_of(material)) == [
        "broken (vgg16, batch 2), failed: the scope fell silent",
        "empty (my-own, batch 1), without energy: gross energy per image is None J",
        f"{CAMPAIGN}-9999-1 (enet, batch 1), invalid: no certificate fits [channel 1]",
    ]
    assert "4 runs" in summary_of(material)[0]
    assert "1 valid, 0 degraded, 1 invalid, 2 without a result" in summary_of(material)[0]
    assert [cell.run_ids for cell in material.cells] == [(f"{CAMPAIGN}-0001-1",)]


def test_nothing_usable_is_an_error_that_says_so(tmp_path: Path) -> None:
    with store_of(tmp_path) as store:
        add_cell(store, "a", "enet", 1, 0.1, 10.0, "invalid")
    with pytest.raises(StoreError, match="of 1 runs none has a usable result"):
        material_of(tmp_path)


def test_the_spectrum_is_that_inside_the_batches_of_all_captures(tmp_path: Path) -> None:
    write_store(tmp_path, networks=1, batch_sizes=(1, 2, 4))
    for number in (1, 2, 3):
        add_capture(tmp_path, f"{CAMPAIGN}-000{number}-1", seed=number)
    figure = spectrum_figure(material_of(tmp_path), CaptureFiles(tmp_path / "captures"))
    # Batches of 1000 samples, less 2 ms of settling: segments of 512 samples, so bins of 98 Hz.
    found = re.search(r"Highest significant component (\d+) Hz", figure.caption)
    assert found is not None
    assert abs(int(found[1]) - RIPPLE_HZ) < 10
    amplitude = re.search(r"\(([\d.]+) mA rms\)", figure.caption)
    assert amplitude is not None
    assert float(amplitude[1]) == pytest.approx(4 / 2**0.5, rel=0.05)
    assert "50000 samples a second cover it" in figure.caption
    assert "of 3 captures" in figure.caption


def test_a_journal_tells_the_runs_of_a_campaign_and_what_is_missing(tmp_path: Path) -> None:
    write_store(tmp_path, networks=1, batch_sizes=(1,))
    order = [{"index": n, "network": "alexnet", "batch_size": n, "precision": "fp32", "repeat": 1} for n in (1, 2)]
    lines = [
        {"event": "begun", "format": "joulebench-campaign", "version": 1, "campaign_id": "renamed", "place": {},
         "settings": {}, "order": order},
        {"event": "commanded", "index": 1, "run_id": f"{CAMPAIGN}-0001-1"},
    ]  # fmt: skip
    journal = tmp_path / "x.campaign.jsonl"
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with store_of(tmp_path) as store:
        found = campaign_runs(store, str(journal))
    assert (found.campaign_id, found.run_ids) == ("renamed", {f"{CAMPAIGN}-0001-1"})
    material = material_of(tmp_path, run_ids=found.run_ids, missing=found.missing)
    assert left_out_of(material) == ["run 2 of the plan (alexnet, batch 2), waiting: it is not in this store"]


def test_a_record_without_a_marker_is_taken_whole_and_that_is_said(tmp_path: Path) -> None:
    write_store(tmp_path, networks=1, batch_sizes=(1,))
    add_capture(tmp_path, f"{CAMPAIGN}-0001-1", marker=False)
    figure = spectrum_figure(material_of(tmp_path), CaptureFiles(tmp_path / "captures"))
    assert figure.missing is None
    assert "or all of a record without a marker" in figure.caption
