"""The driver of docs/how-to/bring-your-own-instrument.md: what the page says, done with a PS-1 that is served here."""

import inspect
import io
import re
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, redirect_stdout
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from daemon.cli.main import app
from daemon.configuration_draft import draft
from instruments.bench import Bench
from instruments.bench_settings import BenchSettings, OutputOnExit
from instruments.errors import BenchNotReady, InstrumentTimeout, SettingRefused
from instruments.installed_driver import oscilloscope_maker, power_supply_maker
from instruments.oscilloscope import Oscilloscope
from instruments.oscilloscope_driver import OscilloscopeDriver
from instruments.power_supply import PowerSupply
from instruments.power_supply_driver import PowerSupplyDriver
from instruments.supply_envelope import SupplyEnvelope
from instruments.supply_reading import SupplyMode
from tests.contract.own_supply import IDENTITY, PACKAGE, Ps1, installed
from tests.unit.instruments.scripted_instrument import ScriptedInstrument
from tests.unit.instruments.scripted_scope import ScriptedScope

PAGE = PACKAGE.parents[1] / "docs" / "how-to" / "bring-your-own-instrument.md"
MARKED = re.compile(r"^<!-- test: own supply (.+?) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class OwnBench:
    """A scripted oscilloscope, a PS-1, and the settings of a bench made of them."""

    def __init__(self, stack: ExitStack) -> None:
        self.supply = Ps1()
        self.server = stack.enter_context(ScriptedInstrument(self.supply))
        self.scope = stack.enter_context(ScriptedInstrument(ScriptedScope()))
        self.settings = BenchSettings(
            oscilloscope_resource=self.scope.resource,
            power_supply_resource=self.server.resource,
            power_supply_driver="ps-1",
            envelope=SupplyEnvelope(max_voltage_v=6.0, max_current_a=1.5),
            timeout_s=1.0,
        )

    @property
    def sent(self) -> list[str]:
        """What has been sent to the supply that is no question."""
        return [message for message in self.server.received if not message.endswith("?")]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OwnBench]:
    with ExitStack() as stack:
        folder = tmp_path / "site-packages"
        folder.mkdir()
        stack.enter_context(installed(folder))
        yield OwnBench(stack)


def page(what: str) -> str:
    return dict(MARKED.findall(PAGE.read_text()))[what]


async def test_a_bench_reads_and_sets_it_and_switches_it_off(own: OwnBench) -> None:
    async with Bench(replace(own.settings, output_on_exit=OutputOnExit.OFF)) as bench:
        assert bench.identities["power_supply"] == IDENTITY
        reading = await bench.read_supply()
        assert (reading.voltage_v, reading.current_a, reading.mode) == (5.0, 0.5, SupplyMode.CV)
        assert not own.sent, "opening and reading change nothing"
        await bench.set_supply(voltage_v=5.5, current_a=1.2, ovp_v=6.5)
        assert await bench.supply_set_points() == (5.5, 1.2)
        assert (await bench.read_supply()).voltage_v == 5.5
        assert own.supply.settings["VOLT:PROT:STAT"] == 1
        await bench.set_supply(voltage_v=3.0, ovp_v=4.0)
        assert not (await bench.read_supply()).tripped, "the voltage falls before the level of the protection"
    assert own.supply.settings["OUTP"] == 0


async def test_its_output_rises_slowly_too(own: OwnBench) -> None:
    own.supply.settings["OUTP"] = 0.0
    async with Bench(replace(own.settings, soft_start_s=0.02)) as bench:
        await bench.set_supply_output(True)
        assert (await bench.read_supply()).voltage_v == 5.0
    assert own.sent[0] == "CURRent 1", "what is to be reached is checked first"
    steps = [f"VOLTage {5 * step / 10:g}" for step in range(1, 11)]
    assert own.sent[1:] == ["VOLTage 5", "VOLTage 0", "OUTPut 1", *steps]


async def test_a_moment_of_constant_current_is_found_afterwards(own: OwnBench) -> None:
    async with Bench(own.settings) as bench:
        own.supply.load(2.0)
        own.supply.load(10.0)
        assert (await bench.read_supply(take_events=False)).mode is SupplyMode.CV
        assert (await bench.read_supply()).cc_excursion
        assert not (await bench.read_supply()).cc_excursion


async def test_a_limit_that_holds_the_output_down_is_told(own: OwnBench, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Bench(own.settings) as bench:
        monkeypatch.setattr("ps1_supply.SETTLE_DEADLINE_S", 0.05)
        with pytest.raises(InstrumentTimeout, match=r"not at the set 5 V .*\(2 V, cc\)"):
            await bench.set_supply(current_a=0.2)


@pytest.mark.parametrize(("voltage_v", "current_a"), [(6.1, None), (None, 1.6), (-1.0, None)])
async def test_nothing_outside_the_envelope_is_sent(
    own: OwnBench, voltage_v: float | None, current_a: float | None
) -> None:
    async with Bench(own.settings) as bench:
        with pytest.raises(SettingRefused, match=r"must be 0\.\."):
            await bench.set_supply(voltage_v=voltage_v, current_a=current_a)
        with pytest.raises(SettingRefused, match="ovp_v must lie above"):
            await bench.set_supply(voltage_v=5.0, ovp_v=4.0)
        assert not own.sent


async def test_a_trip_is_read(own: OwnBench) -> None:
    async with Bench(own.settings) as bench:
        await bench.set_supply(voltage_v=5.0, ovp_v=5.5)
        own.supply("VOLTage 6")  # a hand at the front panel
        reading = await bench.read_supply()
        assert (reading.mode, reading.tripped, reading.voltage_v) == (SupplyMode.OFF, True, 0.0)


def test_the_code_of_the_page_reads_one(own: OwnBench) -> None:
    with redirect_stdout(io.StringIO()) as printed:
        exec(compile(page("reading"), PAGE.name, "exec"), {"resource": own.server.resource})
    assert printed.getvalue() == f"{IDENTITY}: 5.000 V, 0.500 A, cv\n"


def test_the_entry_point_of_the_page_is_the_packages() -> None:
    package = tomllib.loads((PACKAGE / "pyproject.toml").read_text())
    assert tomllib.loads(page("entry point"))["project"]["entry-points"] == package["project"]["entry-points"]
    assert package["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"] == ["ps1_supply.py"]


def check(own: OwnBench, folder: Path, *arguments: str) -> Result:
    """Run the page's command with the page's section in the configuration, at the addresses of this test."""
    path = folder / "my-bench.toml"
    drafted = re.sub(r"^\[power_supply\]\n.*?(?=^\[)", page("configuration") + "\n", draft([]), flags=re.M | re.S)
    path.write_text(drafted)
    environment = {
        "COLUMNS": "250",
        "JOULEBENCH_MQTT__PORT": "1",
        "JOULEBENCH_OSCILLOSCOPE__RESOURCE": own.scope.resource,
        "JOULEBENCH_POWER_SUPPLY__RESOURCE": own.server.resource,
    }
    dollar, program, *words = page("check").split()
    assert (dollar, program, words[-1]) == ("$", "joulebench", path.name)
    words[-1] = str(path)
    return CliRunner().invoke(app, [*words, *arguments], env=environment)


def test_the_check_of_the_page_shows_it(own: OwnBench, tmp_path: Path) -> None:
    done = check(own, tmp_path)
    assert IDENTITY in done.stdout
    assert "5.0000 V, 0.5000 A, cv" in done.stdout
    assert "set 5 V, 1 A; envelope 6 V, 1.5 A" in done.stdout


def test_a_bench_report_sends_nothing_of_other_instruments(own: OwnBench, tmp_path: Path) -> None:
    """Its trials ask what an E3645A understands, which may mean something else to another supply."""
    report = tmp_path / "report.json"
    check(own, tmp_path, "--bench-report", str(report))
    assert "nothing was tried: no trials are known for the driver ps-1" in report.read_text()
    assert not own.sent
    assert not [message for message in own.server.received if message.startswith(("APPLy", "VOLTage:RANGe"))]


async def test_a_driver_that_is_not_there_is_told_beside_every_other_failure(own: OwnBench) -> None:
    settings = replace(own.settings, power_supply_driver="ps-2", oscilloscope_driver="os.system")
    with pytest.raises(BenchNotReady) as told:
        await Bench(settings).open()
    supply = "driver 'ps-2' is not installed; there are e3645a, ps-1"
    assert sorted(map(str, told.value.failures)) == [
        "oscilloscope: driver: driver 'os.system' is not installed; there are mso-x-2024a",
        f"power_supply: driver: {supply}",
    ]
    assert not own.server.received


@pytest.mark.parametrize(
    ("value", "problem"),
    [("no_such_module:make", "No module named"), ("ps1_supply:forgotten", "no attribute 'forgotten'")],
)
def test_a_driver_that_cannot_be_imported_is_told(tmp_path: Path, value: str, problem: str) -> None:
    entry = f"[joulebench.power_supplies]\nbroken = {value}\n"
    told = pytest.raises(SettingRefused, match=rf"'broken' of joulebench-ps-1 \({value}\) .*{problem}")
    with installed(tmp_path, entry), told:
        power_supply_maker("broken")


def test_an_oscilloscopes_driver_is_found_in_its_own_group(tmp_path: Path) -> None:
    supplies = "[joulebench.power_supplies]\nps-1 = ps1_supply:make\n"
    entries = "[joulebench.oscilloscopes]\nscope = ps1_supply:Ps1Supply\n" + supplies
    with installed(tmp_path, entries):
        assert oscilloscope_maker("scope").__name__ == "Ps1Supply"
        with pytest.raises(SettingRefused, match="driver 'ps-1' is not installed; there are mso-x-2024a, scope"):
            oscilloscope_maker("ps-1")


def test_no_package_takes_the_place_of_a_driver_or_of_another_package(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    group = "[joulebench.power_supplies]\ne3645a = ps1_supply:make\nps-1 = "
    with ExitStack() as stack:
        for folder, value in zip(folders, ("ps1_supply:make", "ps1_supply:Ps1Supply"), strict=True):
            folder.mkdir()
            stack.enter_context(installed(folder, group + value + "\n"))
        # One project installed twice is one; these are two, by their names.
        (metadata,) = folders[1].glob("*/METADATA")
        metadata.write_text(metadata.read_text().replace("joulebench-ps-1", "other-ps-1"))
        metadata.parent.rename(folders[1] / "other_ps_1-1.0.0.dist-info")
        assert power_supply_maker("e3645a") is PowerSupply
        with pytest.raises(SettingRefused, match=r"brought by several packages: joulebench-ps-1 .*, other-ps-1"):
            power_supply_maker("ps-1")
    assert oscilloscope_maker("mso-x-2024a") is Oscilloscope


def verbs(protocol: type) -> dict[str, object]:
    return {name: member for name, member in vars(protocol).items() if not name.startswith("_") and callable(member)}


@pytest.mark.parametrize("protocol", [OscilloscopeDriver, PowerSupplyDriver])
def test_the_page_names_each_verb_and_no_other(protocol: type) -> None:
    (told,) = re.findall(rf"`{protocol.__name__}` \| (.+) \|", PAGE.read_text())
    assert set(re.findall(r"`(\w+)`", told)) == set(verbs(protocol))


def test_each_driver_has_each_verb_with_its_arguments(own: OwnBench) -> None:
    from ps1_supply import Ps1Supply

    for protocol, driver in (
        (OscilloscopeDriver, Oscilloscope),
        (PowerSupplyDriver, PowerSupply),
        (PowerSupplyDriver, Ps1Supply),
    ):
        for name in verbs(protocol):
            wanted = set(inspect.signature(getattr(protocol, name)).parameters)
            assert wanted <= set(inspect.signature(getattr(driver, name)).parameters), (driver, name)
