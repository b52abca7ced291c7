"""The drafted configuration: complete, accepted, and honest about what was not found."""

import re
from pathlib import Path

import pytest

from daemon.configuration import Configuration, load_configuration
from daemon.configuration_draft import NOWHERE, chosen, draft, write_draft
from instruments.discovery import Found, GoodFor
from instruments.identity import Identity

SCOPE = Identity(vendor="KEYSIGHT", model="MSO-X 2024A", serial="MY1", firmware="02.65")
SUPPLY = Identity(vendor="Agilent Technologies", model="E3645A", serial="0", firmware="2.6")
ADAPTER = "PRLGX-TCPIP3::10.0.0.2::1234::INTFC"


def scope(resource: str, identity: Identity = SCOPE) -> Found:
    return Found(resource=resource, identity=identity, good_for=GoodFor.OSCILLOSCOPE, took_s=0.1)


def supply(voltage_v: float | None = 19.0, current_a: float | None = 2.2) -> Found:
    return Found(
        resource="GPIB3::5::INSTR",
        gpib_adapter=ADAPTER,
        identity=SUPPLY,
        good_for=GoodFor.POWER_SUPPLY,
        took_s=0.1,
        set_voltage_v=voltage_v,
        set_current_a=current_a,
    )


SOCKET, VXI11 = scope("TCPIP0::10.0.0.1::5025::SOCKET"), scope("TCPIP0::10.0.0.1::inst0::INSTR")
USB = scope("USB0::0x0957::0x1796::MY1::0::INSTR")


def loaded(folder: Path, text: str) -> Configuration:
    path = folder / "bench.toml"
    write_draft(path, text, force=True)
    return load_configuration(path)


def test_what_was_found_stands_in_an_accepted_file(tmp_path: Path) -> None:
    configuration = loaded(tmp_path, draft([VXI11, SOCKET, supply()]))
    assert configuration.oscilloscope.resource == SOCKET.resource
    assert configuration.power_supply.resource == "GPIB3::5::INSTR"
    assert configuration.power_supply.gpib_adapter == ADAPTER
    assert (configuration.power_supply.max_voltage_v, configuration.power_supply.max_current_a) == (19.0, 2.2)
    assert configuration.power_supply.voltage_v is None, "a draft programmes nothing"
    assert configuration.storage.directory == tmp_path / "joulebench-data"


def test_every_key_is_there_with_its_meaning() -> None:
    lines = draft([SOCKET, supply()]).splitlines()
    for name, section in Configuration.model_fields.items():
        assert f"[{name}]" in lines
        for key, field in section.annotation.model_fields.items():  # type: ignore[union-attr]
            (place,) = [
                number
                for number, line in enumerate(lines)
                if re.match(rf"(# )?{key} = ", line) and section_at(lines, number) == name
            ]
            first_words = " ".join((field.description or "").split()[:4])
            above = " ".join(line.removeprefix("# ") for line in lines[max(0, place - 8) : place])
            assert first_words in above, f"{name}.{key}"


def section_at(lines: list[str], number: int) -> str:
    return next(line[1:-1] for line in reversed(lines[:number]) if re.fullmatch(r"\[\w+\]", line))


LIKE_THE_1146B = """
model = "a probe as good as the 1146B"
[[range]]
gain_v_per_a = 0.1
gain_accuracy = 0.03
zero_accuracy_a = 0.05
peak_current_a = 10.0
bandwidth_hz = 100e3
"""


def test_the_keys_that_are_commented_out_say_the_defaults(tmp_path: Path) -> None:
    text = draft([SOCKET, supply()])
    as_it_is = loaded(tmp_path, text)
    (tmp_path / "my-probe.toml").write_text(LIKE_THE_1146B)
    everything = loaded(tmp_path, re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE))
    differing = {
        f"{name}.{key}"
        for name, section in as_it_is
        for key, value in section
        if getattr(getattr(everything, name), key) != value
    }
    assert differing == {
        *("mqtt.username", "mqtt.password_file", "mqtt.client_id", "oscilloscope.voltage_channel"),
        *("mqtt.ca_file", "mqtt.cert_file", "mqtt.key_file"),
        *("power_supply.voltage_v", "power_supply.current_limit_a", "power_supply.ovp_v"),
        *("probe.declaration_file", "storage.database_url", "storage.database_password_file"),
        *("http.port", "http.token_file", "http.campaigns", "retention.max_age_days", "retention.max_bytes"),
    }, "only what has no default may differ"


def test_what_was_not_found_is_said_and_the_file_is_accepted(tmp_path: Path) -> None:
    text = draft([])
    configuration = loaded(tmp_path, text)
    assert configuration.oscilloscope.resource == NOWHERE
    assert text.count("NOT FOUND") == 2
    assert "Here answered" not in text


def test_the_best_way_to_an_instrument_is_taken_and_the_others_are_told() -> None:
    assert chosen([USB, VXI11, SOCKET])[GoodFor.OSCILLOSCOPE] is SOCKET
    assert chosen([USB, VXI11])[GoodFor.OSCILLOSCOPE] is VXI11
    text = draft([USB, SOCKET, scope("TCPIP0::10.0.0.9::5025::SOCKET", Identity(**fields(serial="MY2")))])
    assert f"# It also answers at {USB.resource}." in text
    assert "MSO-X 2024A, serial MY2, firmware 02.65 also answers at TCPIP0::10.0.0.9::5025::SOCKET." in unwrapped(text)


def fields(**changes: str) -> dict[str, str]:
    return {name: getattr(SCOPE, name) for name in Identity.__slots__} | changes


def unwrapped(text: str) -> str:
    return text.replace("\n# ", " ")


@pytest.mark.parametrize(
    ("set_to", "envelope"),
    [
        ((19.0, 2.2), (19.0, 2.2)),
        ((19.00012, 0.4994), (19.001, 0.5)),
        ((61.8, 2.266), (60.0, 2.2)),
        ((0.0, 0.0), (5.0, 1.0)),
        ((None, None), (5.0, 1.0)),
    ],
)
def test_the_envelope_is_what_the_supply_is_set_to(tmp_path: Path, set_to, envelope) -> None:
    section = loaded(tmp_path, draft([supply(*set_to)])).power_supply
    assert (section.max_voltage_v, section.max_current_a) == envelope


def test_a_file_that_is_there_stays_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "bench.toml"
    path.write_text("mine")
    with pytest.raises(FileExistsError):
        write_draft(path, "new", force=False)
    assert path.read_text() == "mine"
    write_draft(path, "new", force=True)
    assert path.read_text() == "new"
