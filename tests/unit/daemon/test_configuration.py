import json
import os
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from calibration.ladder import current_ladder
from daemon.bench_configuration import bench_settings
from daemon.configuration import OwnConfiguration, load_configuration
from daemon.configuration_reference import page_text, schema
from daemon.errors import ConfigurationError
from daemon.sections.application import PASSWORD_VARIABLE, QualitySection
from daemon.sections.oscilloscope import AcquisitionChoice
from daemon.sections.storage import MissingCertificate
from daemon.verify import fault_stage, virtual_bench
from instruments.simulated.addresses import BenchAddresses
from metrology.quality import QualityLimits
from runners.networks.catalogue import KNOWN_NETWORKS

MINIMAL = """\
[bench]
name = "b1"
[oscilloscope]
resource = "TCPIP0::127.0.0.1::5025::SOCKET"
current_scale_a_per_div = 0.2
[power_supply]
resource = "GPIB0::5::INSTR"
max_voltage_v = 20
max_current_a = 2
[storage]
directory = "data"
[calibration]
directory = "/etc/certificates"
"""


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith("JOULEBENCH_"):
            monkeypatch.delenv(name)


def written(folder: Path, *changes: tuple[str, str]) -> Path:
    """Write the minimal file with some of its text replaced."""
    text = MINIMAL
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "bench.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(path: Path) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(path)
    assert caught.value.path == path
    assert str(path) in str(caught.value)
    assert all(problem in str(caught.value) for problem in caught.value.problems)
    return caught.value.problems


def test_a_minimal_file_gets_the_defaults(tmp_path: Path) -> None:
    configuration = load_configuration(written(tmp_path))

    assert configuration.bench.name == "b1"
    assert configuration.mqtt_client_id == "joulebench-b1"
    assert (configuration.mqtt.host, configuration.mqtt.port, configuration.mqtt.password()) == (
        "127.0.0.1",
        1883,
        None,
    )
    assert configuration.oscilloscope.record_s == 2.0
    assert configuration.oscilloscope.acquisition_type is AcquisitionChoice.NORMAL
    assert configuration.oscilloscope.voltage_channel is None
    assert configuration.probe.ratio_a_per_v == pytest.approx(10.0)
    assert configuration.calibration.missing is MissingCertificate.DEGRADE
    assert configuration.runs.networks == KNOWN_NETWORKS
    assert len(set(KNOWN_NETWORKS)) == 14


def test_relative_paths_start_at_the_folder_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path)
    monkeypatch.chdir(tmp_path.parent)

    configuration = load_configuration(Path(tmp_path.name) / "bench.toml")

    assert configuration.storage.directory == tmp_path / "data"
    assert configuration.storage.captures_directory == tmp_path / "data" / "captures"
    assert configuration.storage.url == f"sqlite:///{tmp_path}/data/joulebench.sqlite"
    assert configuration.calibration.directory == Path("/etc/certificates")


def test_another_database_is_used_as_given(tmp_path: Path) -> None:
    path = written(tmp_path, ('directory = "data"', 'directory = "data"\ndatabase_url = "postgresql://db/x"'))

    assert load_configuration(path).storage.url == "postgresql://db/x"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:se:c/r@t@db.example:5432/x", "postgresql://me:***@db.example:5432/x"),
        ("postgresql://me@db.example:5432/x", "postgresql://me@db.example:5432/x"),
        ("sqlite:////data/x.sqlite", "sqlite:////data/x.sqlite"),
    ],
)
def test_a_url_is_shown_without_its_password(tmp_path: Path, url: str, shown: str) -> None:
    path = written(tmp_path, ('directory = "data"', f'directory = "data"\ndatabase_url = "{url}"'))

    assert load_configuration(path).storage.shown_url == shown


def test_a_url_that_cannot_be_taken_apart_is_refused_without_repeating_it(tmp_path: Path) -> None:
    url = "postgresql://me:geheim/sesam:x/y"  # the `@` is forgotten, and a password stands where the port would
    path = written(tmp_path, ('directory = "data"', f'directory = "data"\ndatabase_url = "{url}"'))

    with pytest.raises(ConfigurationError, match=r"storage\.database_url: what stands .* is no port") as caught:
        load_configuration(path)
    assert "geheim" not in str(caught.value)


SERVER = 'database_url = "postgresql://me@db.example:5432/x"'


def secret_file(tmp_path: Path, text: str, mode: int = 0o640) -> str:
    path = tmp_path / "database-password"
    path.write_text(text)
    path.chmod(mode)
    return f'{SERVER}\ndatabase_password_file = "{path.name}"'


def test_the_databases_password_comes_from_a_file_and_is_not_shown(tmp_path: Path) -> None:
    lines = secret_file(tmp_path, "p:a@s/s %\nsecond line\n")
    storage = load_configuration(written(tmp_path, ('directory = "data"', f'directory = "data"\n{lines}'))).storage

    assert make_url(storage.url).password == "p:a@s/s %"
    assert storage.shown_url == "postgresql://me@db.example:5432/x"
    assert "p:a" not in repr(storage)


def test_the_databases_password_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOULEBENCH_DATABASE_PASSWORD", "s3cret")
    storage = load_configuration(written(tmp_path, ('directory = "data"', f'directory = "data"\n{SERVER}'))).storage

    assert storage.url == "postgresql://me:s3cret@db.example:5432/x"
    assert "s3cret" not in storage.shown_url + repr(storage)


def test_a_password_in_the_url_is_used_as_it_is_and_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOULEBENCH_DATABASE_PASSWORD", "other")
    url = "postgresql://me:s3cret@db.example/x"
    path = written(tmp_path, ('directory = "data"', f'directory = "data"\ndatabase_url = "{url}"'))

    assert load_configuration(path).storage.url == url
    assert "s3cret" not in repr(load_configuration(path))


@pytest.mark.parametrize(
    ("text", "mode", "problem"),
    [("secret", 0o644, "open to every user"), ("\nsecret", 0o600, "is empty")],
)
def test_a_password_file_that_cannot_be_used_is_named(tmp_path: Path, text: str, mode: int, problem: str) -> None:
    lines = secret_file(tmp_path, text, mode)
    storage = load_configuration(written(tmp_path, ('directory = "data"', f'directory = "data"\n{lines}'))).storage

    with pytest.raises(
        ConfigurationError, match=rf"storage\.database_password_file cannot be read: .*{problem}"
    ) as caught:
        _ = storage.url
    assert "secret\n" not in str(caught.value)


@pytest.mark.parametrize("url", ['database_url = "sqlite:///x"', 'database_url = "postgresql://me:pw@db/x"', ""])
def test_a_password_file_needs_a_user_whose_it_is(tmp_path: Path, url: str) -> None:
    lines = f'directory = "data"\n{url}\ndatabase_password_file = "secret"'
    with pytest.raises(ConfigurationError, match="names no user without a password"):
        load_configuration(written(tmp_path, ('directory = "data"', lines)))


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOULEBENCH_OSCILLOSCOPE__RESOURCE", "TCPIP0::10.0.0.1::5025::SOCKET")
    monkeypatch.setenv("JOULEBENCH_MQTT__PORT", "2883")

    configuration = load_configuration(written(tmp_path))

    assert configuration.oscilloscope.resource == "TCPIP0::10.0.0.1::5025::SOCKET"
    assert configuration.oscilloscope.current_scale_a_per_div == 0.2
    assert configuration.mqtt.port == 2883


def test_other_variables_of_the_project_are_no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOULEBENCH_RECORDINGS", "/somewhere")
    monkeypatch.setenv("JOULEBENCH_NO_SKIP", "1")

    assert load_configuration(written(tmp_path)).bench.name == "b1"


def test_all_problems_come_at_once_each_with_its_key(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        ('name = "b1"', 'name = "b 1"\ncolour = "red"'),
        ("current_scale_a_per_div = 0.2", "current_channel = 5"),
        ("max_voltage_v = 20", 'max_voltage_v = "high"'),
        ("[calibration]", "[elevator]\nfloor = 3\n[calibration]"),
    )

    found = {problem.partition(":")[0]: problem for problem in problems(path)}

    assert set(found) == {
        "bench.name",
        "bench.colour",
        "oscilloscope.current_scale_a_per_div",
        "oscilloscope.current_channel",
        "power_supply.max_voltage_v",
        "elevator",
    }
    assert "no such key" in found["bench.colour"]
    assert "no such key" in found["elevator"]
    assert "missing" in found["oscilloscope.current_scale_a_per_div"]
    assert "less than or equal to 4, got 5" in found["oscilloscope.current_channel"]
    assert "'high'" in found["power_supply.max_voltage_v"]


def test_an_empty_file_lacks_the_sections_that_have_no_default(tmp_path: Path) -> None:
    path = tmp_path / "bench.toml"
    path.touch()

    assert [problem.partition(":")[0] for problem in problems(path)] == [
        "bench",
        "oscilloscope",
        "power_supply",
        "storage",
        "calibration",
    ]


def test_a_choice_among_numbers_is_taken_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOULEBENCH_POWER_SUPPLY__BAUD", "4800")
    assert load_configuration(written(tmp_path)).power_supply.baud == 4800


@pytest.mark.parametrize("text", ["4801", "4800.0", "fast", "\u0664\u0668\u0660\u0660"])
def test_a_baud_rate_that_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("JOULEBENCH_POWER_SUPPLY__BAUD", text)
    assert "power_supply.baud" in problems(written(tmp_path))[0]


def test_a_problem_from_the_environment_names_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOULEBENCH_MQTT__PORT", "99999")
    monkeypatch.setenv("JOULEBENCH_MQTT__HOTS", "a")

    found = sorted(problems(written(tmp_path)))

    assert len(found) == 2
    assert "mqtt.hots: no such key" in found[0]
    assert "JOULEBENCH_MQTT__HOTS" in found[0]
    assert "mqtt.port" in found[1]
    assert "JOULEBENCH_MQTT__PORT" in found[1]


def test_a_section_given_as_broken_json_is_a_problem_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOULEBENCH_MQTT", "{host")

    assert "environment" in problems(written(tmp_path))[0]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("max_voltage_v = 20", "max_voltage_v = 20\nvoltage_v = 20.5"), "voltage_v is 20.5, outside the envelope"),
        (
            ("max_voltage_v = 20", "max_voltage_v = 20\nvoltage_v = 19\novp_v = 19"),
            "ovp_v is 19.0, not above",
        ),
        (("max_current_a = 2", "max_current_a = 2\ncurrent_limit_a = 2.1"), "current_limit_a is 2.1, outside"),
        (("max_current_a = 2", "max_current_a = nan"), "power_supply.max_current_a"),
        (("max_voltage_v = 20", "max_voltage_v = inf"), "power_supply.max_voltage_v"),
        (("= 0.2", "= 0.2\nvoltage_channel = 1"), "voltage_channel and current_channel are both 1"),
        (("= 0.2", "= 0.2\nvoltage_scale_v_per_div = 500"), "voltage_scale_v_per_div = 500.0 is 50 V/div"),
        (("= 0.2", "= 0.2\nmarker_line = 'D8'"), "oscilloscope.marker_line"),
        (("= 0.2", "= 0.2\nacquisition_type = 'average'"), "average: the mean over many triggers"),
        (("= 0.2", "= 0.2\nacquisition_type = 'peak'"), "are no samples that an energy could be computed from; choose"),
        (("= 0.2", "= 0.2\nacquisition_type = 'segmented'"), "between segments nothing is recorded"),
        (("= 0.2", "= 0.2\nacquisition_type = 'roll'"), "oscilloscope.acquisition_type"),
        (("= 0.2", "= 0.2\npretrigger_fraction = 1.0"), "oscilloscope.pretrigger_fraction"),
        (("= 0.2", "= 0.2\ncurrent_offset_a = nan"), "oscilloscope.current_offset_a"),
        (("= 0.2", "= 0.0"), "oscilloscope.current_scale_a_per_div"),
        (("= 0.2", "= 0.005"), "current_scale_a_per_div = 0.005 is 0.0005 V/div through this probe"),
        (("= 0.2", "= 60"), "is 6 V/div through this probe"),
        (("TCPIP0::127.0.0.1::5025::SOCKET", "192.168.1.20"), "oscilloscope.resource"),
        (('"GPIB0::5::INSTR"', '"GPIB0::5::INSTR"\ngpib_adapter = "10.0.0.9"'), "power_supply.gpib_adapter"),
        (("[bench]", "[probe]\nrange_v_per_a = 0.02\n[bench]"), "range_v_per_a is 0.02"),
        (("[bench]", "[probe]\nturns = 0\n[bench]"), "probe.turns"),
        (("[bench]", "[mqtt]\npassword_file = 'p'\n[bench]"), "password_file is set but username is not"),
        (("[bench]", "[runs]\nnetworks = ['two words']\n[bench]"), "runs.networks.0"),
        (('"/etc/certificates"', '"c"\nmissing = "ignore"'), "calibration.missing"),
    ],
)
def test_what_cannot_work_is_refused(tmp_path: Path, change: tuple[str, str], expected: str) -> None:
    found = problems(written(tmp_path, change))

    assert len(found) == 1
    assert expected in found[0]


@pytest.mark.parametrize(
    ("probe", "gain_limit"),
    [
        ("", 0.03),
        ("range_v_per_a = 0.1", 0.03),
        ("range_v_per_a = 0.01", 0.04),
        ("range_v_per_a = 0.01\ngain_limit = 0.01", 0.01),
    ],
)
def test_the_probes_gain_limit_is_its_ranges_unless_given(tmp_path: Path, probe: str, gain_limit: float) -> None:
    path = written(tmp_path, ("[bench]", f"[probe]\n{probe}\n[bench]"))

    assert load_configuration(path).probe.gain_limit == gain_limit


SHUNT = """model = "shunt"
max_turns = 1
[[range]]
gain_v_per_a = 0.5
gain_accuracy = 0.002
zero_accuracy_a = 0.001
peak_current_a = 6.0
bandwidth_hz = 50e3
noise_a_rms = 0.004
"""


def declared(tmp_path: Path, probe: str, declaration: str = SHUNT) -> Path:
    (tmp_path / "shunt.toml").write_text(declaration)
    return written(tmp_path, ("[bench]", f"[probe]\ndeclaration_file = 'shunt.toml'\n{probe}\n[bench]"))


@pytest.mark.parametrize(
    ("probe", "gain_limit", "zero_limit_a"),
    [("", 0.002, 0.001), ("gain_limit = 0.01", 0.01, 0.001), ("zero_limit_a = 0.02", 0.002, 0.02)],
)
def test_a_declared_probes_limits_stand_unless_given(tmp_path: Path, probe, gain_limit, zero_limit_a) -> None:
    configuration = load_configuration(declared(tmp_path, f"range_v_per_a = 0.5\n{probe}"))

    assert (configuration.probe.gain_limit, configuration.probe.zero_limit_a) == (gain_limit, zero_limit_a)
    settings = bench_settings(configuration)
    assert (settings.probe.model, settings.probe.probe_ratio, settings.probe.noise_a_rms) == ("shunt", 2.0, 0.004)


@pytest.mark.parametrize(
    ("probe", "declaration", "expected"),
    [
        ("", SHUNT, "must be 0.5 V/A for shunt, got 0.1"),
        ("range_v_per_a = 0.5\nturns = 2", SHUNT, "turns: must be 1..1 for shunt, got 2"),
        ("range_v_per_a = 0.5", "model = ", "cannot be read as TOML"),
        ("range_v_per_a = 0.5", SHUNT.replace("0.002", "2"), "gain_accuracy: must be a fraction below 1"),
        ("range_v_per_a = 0.5", SHUNT.replace("0.001", "'low'"), "zero_accuracy_a: must be a finite number"),
        ("range_v_per_a = 0.5", SHUNT.replace("bandwidth_hz", "bandwidth"), "lacks ['bandwidth_hz'], and has the unkn"),
        ("range_v_per_a = 0.5", SHUNT.replace("= 1\n", "= 1.5\n"), "max_turns: must be a whole number 1..100"),
        ("range_v_per_a = 0.5", 'model = "x"\nrange = []', "range: must be there at least once"),
        ("range_v_per_a = 0.5", 'model = "x"\nrange = 5', "must be tables"),
    ],
)
def test_a_declaration_that_is_none_is_refused(tmp_path: Path, probe: str, declaration: str, expected: str) -> None:
    found = problems(declared(tmp_path, probe, declaration))

    assert len(found) == 1
    assert expected in found[0]


def test_the_declaration_in_the_reference_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "probes.md").read_text()
    example = page.split("```toml\n")[1].split("```")[0]

    configuration = load_configuration(declared(tmp_path, "range_v_per_a = 0.5", example))

    assert configuration.probe.gain_limit == 0.005


def test_turns_make_the_probe_more_sensitive(tmp_path: Path) -> None:
    path = written(tmp_path, ("[bench]", "[probe]\nturns = 5\n[bench]"), ("= 0.2", "= 0.01"))

    assert load_configuration(path).probe.ratio_a_per_v == pytest.approx(2.0)


def test_the_marker_line_names_its_bit(tmp_path: Path) -> None:
    path = written(tmp_path, ("= 0.2", "= 0.2\nmarker_line = 'D6'"))

    assert load_configuration(path).oscilloscope.marker_bit == 6


@pytest.mark.parametrize("content", ["secret\n", "secret", "secret\r\n", "secret\nsecond line\n"])
def test_the_password_is_the_first_line_of_its_file(tmp_path: Path, content: str) -> None:
    (tmp_path / "p").write_bytes(content.encode())
    (tmp_path / "p").chmod(0o640)
    path = written(tmp_path, ("[bench]", "[mqtt]\nusername = 'u'\npassword_file = 'p'\n[bench]"))

    configuration = load_configuration(path)

    assert configuration.mqtt.password() == "secret"
    assert "secret" not in repr(configuration)


def test_a_password_that_cannot_be_read_is_an_error_when_it_is_needed(tmp_path: Path) -> None:
    configuration = load_configuration(
        written(tmp_path, ("[bench]", "[mqtt]\nusername = 'u'\npassword_file = 'p'\n[bench]"))
    )

    with pytest.raises(ConfigurationError, match=r"mqtt\.password_file cannot be read"):
        configuration.mqtt.password()


def test_a_star_admits_every_network(tmp_path: Path) -> None:
    named = load_configuration(written(tmp_path, ("[bench]", "[runs]\nnetworks = ['alexnet']\n[bench]"))).runs
    every = load_configuration(written(tmp_path, ("[bench]", "[runs]\nnetworks = ['*']\n[bench]"))).runs

    assert named.admits("alexnet")
    assert not named.admits("vgg16")
    assert not named.admits("*")
    assert every.admits("my_net")


def test_the_thresholds_default_to_metrologys_own() -> None:
    assert QualitySection().limits() == QualityLimits()
    assert QualitySection(minimum_batches=7).limits().minimum_batches == 7


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"[bench\n", "not TOML"), (b'name = "a"\nname = "b"\n', "not TOML"), (b"x = '\xff'", "not UTF-8 at byte 5")],
)
def test_a_file_that_is_no_toml_is_refused(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "bench.toml"
    path.write_bytes(content)

    assert expected in problems(path)[0]


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in problems(tmp_path / "none.toml")[0]
    assert "cannot be read: Is a directory" in problems(tmp_path)[0]


@pytest.mark.parametrize("name", ["joulebench.toml", "lab.toml"])
def test_each_example_loads(repository: Path, name: str) -> None:
    configuration = load_configuration(repository / "examples" / name)

    assert configuration.storage.directory.is_absolute()
    assert max(current_ladder(bench_settings(configuration), levels=6)) > 1.0, "a calibration of the gain finds room"


def test_the_committed_schema_is_fresh(repository: Path) -> None:
    committed = json.loads((repository / "docs/reference/configuration.schema.json").read_text(encoding="utf-8"))

    assert committed == schema(), "run: python -m daemon.configuration_reference schema"


def test_the_committed_page_is_fresh(repository: Path) -> None:
    committed = (repository / "docs/reference/configuration.md").read_text(encoding="utf-8")

    assert committed == page_text(), "run: python -m daemon.configuration_reference page"


def test_every_key_is_explained() -> None:
    tables = [entry for entry in schema()["$defs"].values() if entry["type"] == "object"]

    assert len(tables) == len(OwnConfiguration.model_fields)
    silent = [(t["title"], key) for t in tables for key, e in t["properties"].items() if not e.get("description")]
    assert silent == []


def test_a_bench_of_its_own_hears_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A verification on virtual benches must never drive the supply that a variable names."""
    simulated = BenchAddresses(
        oscilloscope="TCPIP0::127.0.0.1::1::SOCKET", oscilloscope_vxi11="", power_supply="GPIB0::5::INSTR",
        gpib_adapter="PRLGX-TCPIP0::127.0.0.1::2::INTFC", power_supply_serial="", marker="", truth="", seed=1,
        time_scale=1.0,
    )  # fmt: skip
    poison = {
        "OSCILLOSCOPE__RESOURCE": "TCPIP0::10.0.0.1::5025::SOCKET",
        "POWER_SUPPLY__RESOURCE": "GPIB0::6::INSTR",
        "POWER_SUPPLY__GPIB_ADAPTER": "PRLGX-TCPIP0::10.0.0.2::1234::INTFC",
        "POWER_SUPPLY__VOLTAGE_V": "12.0",
        "STORAGE__DIRECTORY": "/nowhere",
        "METRICS__PORT": "9464",
        "MQTT__HOST": "broker.example",
    }
    made = [
        lambda: fault_stage.configuration_of(simulated, 1883, tmp_path),
        lambda: virtual_bench.configuration_of(simulated, tmp_path),
    ]
    clean = [make() for make in made]
    for name, value in poison.items():
        monkeypatch.setenv(f"JOULEBENCH_{name}", value)
    assert [make() for make in made] == clean
    path = tmp_path / "bench.toml"
    path.write_text(MINIMAL)
    assert load_configuration(path).mqtt.host == "broker.example"
    assert load_configuration(path, kind=OwnConfiguration).mqtt.host == "127.0.0.1"


@pytest.mark.parametrize("keys", ["cert_file = 'c'", "key_file = 'k'", "cert_file = 'c'\nkey_file = 'k'"])
def test_a_certificate_needs_its_key_and_an_authority(tmp_path: Path, keys: str) -> None:
    assert "a certificate needs ca_file, cert_file and key_file" in str(
        problems(written(tmp_path, ("[bench]", f"[mqtt]\n{keys}\n[bench]")))
    )


def test_the_password_from_the_environment_goes_with_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, "secret")
    assert load_configuration(written(tmp_path)).mqtt.address().password is None
    named = load_configuration(written(tmp_path, ("[bench]", "[mqtt]\nusername = 'u'\n[bench]")))
    assert named.mqtt.address().password == "secret"
    assert "secret" not in repr(named) + repr(named.mqtt.address())


def test_the_password_has_no_place_in_the_file(tmp_path: Path) -> None:
    told = str(problems(written(tmp_path, ("[bench]", "[mqtt]\npassword = 'secret'\n[bench]"))))
    assert "mqtt.password: no such key" in told
    assert "secret" not in told


@pytest.mark.parametrize("mode", [0o644, 0o606])
def test_a_password_file_that_everybody_can_open_is_refused(tmp_path: Path, mode: int) -> None:
    (tmp_path / "p").write_text("hush")
    (tmp_path / "p").chmod(mode)
    configuration = load_configuration(
        written(tmp_path, ("[bench]", "[mqtt]\nusername = 'u'\npassword_file = 'p'\n[bench]"))
    )
    with pytest.raises(ConfigurationError, match=r"open to every user of this computer.*chmod o-rwx") as refused:
        configuration.mqtt.address()
    assert "hush" not in str(refused.value)


def test_files_of_an_encrypted_connection_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    configuration = load_configuration(written(tmp_path, ("[bench]", "[mqtt]\nca_file = 'absent'\n[bench]")))
    with pytest.raises(ConfigurationError, match=r"authority's certificate .*absent cannot be used"):
        configuration.mqtt.address()
