"""Web application: verdicts as statuses, numbers as Prometheus reads them, control with the token and no other way."""

from collections.abc import Callable

import pytest

from daemon.web.bearer_token import SHORTEST, Token
from daemon.web.body_limit import LIMIT_BYTES
from daemon.web.routers import metrics as metrics_module
from tests.unit.daemon.web.stage import BROKEN, FINE, TOKEN, WebStage

BEARER = {"Authorization": f"Bearer {TOKEN}"}
ABORT = "/api/v1/runs/r1/abort"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_check_that_fails_is_a_503_with_what_to_do(path: str) -> None:
    stage = WebStage()
    async with stage.client() as client:
        fine = await client.get(path)
        stage.health.alive = stage.health.prepared = [FINE, BROKEN]
        stage.health.run_in_hand = "r1"
        broken = await client.get(path)
    assert (fine.status_code, fine.json()["ok"]) == (200, True)
    assert (broken.status_code, broken.json()["ok"]) == (503, False)
    assert broken.json()["checks"] == [
        {"name": "disk", "ok": True, "text": "12 GB free", "remedy": None},
        {"name": "broker", "ok": False, "text": "not connected", "remedy": "start the broker"},
    ]
    assert broken.json().get("run_in_hand") == ("r1" if path == "/readyz" else None)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_load_balancer_may_ask_by_head(path: str) -> None:
    stage = WebStage()
    async with stage.client() as client:
        assert (await client.head(path)).status_code == 200
        stage.health.alive = stage.health.prepared = [BROKEN]
        assert (await client.head(path)).status_code == 503


@pytest.mark.parametrize(
    ("method", "path", "status", "reason", "text"),
    [
        ("GET", "/nowhere", 404, "not_found", "there is nothing at /nowhere; /openapi.json lists all that there is"),
        ("DELETE", "/healthz", 405, "method_not_allowed", "DELETE is not answered at /healthz; ask by "),
    ],
)
async def test_what_there_is_not_says_what_there_is(
    method: str, path: str, status: int, reason: str, text: str
) -> None:
    async with WebStage().client() as client:
        answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert answer.json()["text"].startswith(text)


async def test_a_body_that_is_no_json_is_told_so_in_words() -> None:
    async with WebStage().client() as client:
        answer = await client.post(ABORT, headers=BEARER | {"Content-Type": "application/json"}, content=b"{secret")
    assert (answer.status_code, answer.json()["reason"]) == (422, "bad_request")
    assert answer.json()["text"] == "the body is no JSON: send an object such as {}, as application/json"


async def test_metrics_are_what_prometheus_reads() -> None:
    async with WebStage().client() as client:
        answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert 'joulebench_runs_total{verdict="valid"} 0.0' in answer.text


async def test_whoever_asks_for_the_metrics_all_the_time_gets_the_same_page(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, made = WebStage(), [0]

    def page() -> bytes:
        made[0] += 1
        return b"page %d" % made[0]

    monkeypatch.setattr(stage.metrics, "page", page)
    monkeypatch.setattr(metrics_module, "KEPT_S", 1e6)
    async with stage.client() as client:
        assert {(await client.get("/metrics")).text for _ in range(5)} == {"page 1"}
        monkeypatch.setattr(metrics_module, "KEPT_S", 0.0)
        assert (await client.get("/metrics")).text == "page 2"


async def test_the_token_ends_the_run_in_hand() -> None:
    stage = WebStage()
    async with stage.client() as client:
        answer = await client.post(ABORT, headers=BEARER, json={"text": "the fan stands still"})
        plain = await client.post(ABORT, headers=BEARER)
    assert (answer.status_code, answer.json()) == (202, {"run_id": "r1"})
    assert plain.status_code == 202
    assert stage.runs.aborted == [
        ("r1", "aborted over HTTP: the fan stands still"),
        ("r1", "aborted over HTTP: no reason given"),
    ]


async def test_a_run_that_is_not_in_hand_is_a_404() -> None:
    async with WebStage().client() as client:
        answer = await client.post("/api/v1/runs/other/abort", headers=BEARER)
    assert (answer.status_code, answer.json()["reason"]) == (404, "not_in_hand")


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN, "Bearer \u00e9\u00e9"],
)
async def test_without_the_token_nothing_is_done(authorization: str | None, caplog: pytest.LogCaptureFixture) -> None:
    stage = WebStage()
    headers = {} if authorization is None else {"Authorization": authorization.encode("latin-1")}
    async with stage.client() as client:
        answer = await client.post(ABORT, headers=headers)
    assert (answer.status_code, answer.json()["reason"]) == (401, "unauthorised")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert stage.runs.aborted == []
    assert stage.refused("token") == 1
    assert "refused: no token, or a wrong one" in caplog.text
    assert TOKEN[:-1] not in caplog.text + answer.text, "a wrong token may be a right one with a slip"


async def test_without_a_configured_token_control_is_off() -> None:
    stage = WebStage(token=None)
    async with stage.client() as client:
        answer = await client.post(ABORT, headers=BEARER)
    assert (answer.status_code, answer.json()["reason"]) == (403, "control_off")
    assert "token_file" in answer.json()["text"]
    assert stage.runs.aborted == []


@pytest.mark.parametrize("path", ["/api/v1/runs/a%2Fb/abort", "/api/v1/runs/" + "x" * 65 + "/abort"])
async def test_what_is_no_run_is_refused(path: str) -> None:
    stage = WebStage()
    async with stage.client() as client:
        answer = await client.post(path, headers=BEARER)
    assert answer.status_code in {404, 422}
    assert set(answer.json()) == {"reason", "text"}
    assert stage.runs.aborted == []


@pytest.mark.parametrize("body", [b"{", b'{"text": "two\\nlines"}', b'{"text": ""}', b'{"shell": "zq7"}', b"[1]"])
async def test_a_malformed_order_is_refused_and_not_repeated(body: bytes) -> None:
    stage = WebStage()
    async with stage.client() as client:
        answer = await client.post(ABORT, headers={**BEARER, "Content-Type": "application/json"}, content=body)
    assert (answer.status_code, answer.json()["reason"]) == (422, "bad_request")
    assert "zq7" not in answer.text
    assert stage.runs.aborted == []


@pytest.mark.parametrize(
    ("host", "admitted"),
    [
        *((one, True) for one in ("localhost", "LOCALHOST:9464", "127.0.0.1:9464", "[::1]:9464", "::1", "10.1.2.3")),
        *((one, True) for one in ("lab-pc:9464", "LAB-PC", "lab-pc.:9464")),
        *((one, False) for one in ("evil.example", "evil.example:9464", "localhost.evil.example", "127.0.0.1.x", "")),
    ],
)
async def test_only_hosts_of_this_computer_are_answered(host: str, admitted: bool) -> None:
    """A page of a foreign site that resolves its own name to 127.0.0.1 sends that name."""
    stage = WebStage(names=("lab-pc",))
    async with stage.client() as client:
        answer = await client.get("/metrics", headers={"Host": host})
    assert answer.status_code == (200 if admitted else 421)
    assert stage.refused("host") == float(not admitted)


async def test_no_other_origin_may_read() -> None:
    async with WebStage().client() as client:
        preflight = await client.options(
            ABORT, headers={"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
        )
        answer = await client.get("/metrics", headers={"Origin": "http://evil.example"})
    assert preflight.status_code == 405
    assert not [name for name in (*preflight.headers, *answer.headers) if name.startswith("access-control")]


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_that_is_too_long_is_not_taken(chunked: bool) -> None:
    async def pieces():  # type: ignore[no-untyped-def]
        for _ in range(LIMIT_BYTES // 1000 + 1):
            yield b" " * 1000

    stage = WebStage()
    content = pieces() if chunked else b" " * (LIMIT_BYTES + 1)
    async with stage.client() as client:
        answer = await client.post(ABORT, headers=BEARER, content=content)
    assert (answer.status_code, answer.json()["reason"]) == (413, "too_long")
    assert stage.refused("body") == 1


async def test_a_handler_that_breaks_is_a_500_that_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    stage = WebStage()
    stage.health.health = lambda: 1 // 0  # type: ignore[method-assign, assignment, return-value]
    async with stage.client() as client:
        broken = await client.get("/healthz")
        other = await client.get("/readyz")
    assert (broken.status_code, broken.json()["reason"]) == (500, "internal_error")
    assert "division" not in broken.text
    assert "GET /healthz: the handler broke" in caplog.text
    assert other.status_code == 200


async def test_no_page_loads_a_script_from_afar() -> None:
    async with WebStage().client() as client:
        assert [(await client.get(path)).status_code for path in ("/docs", "/redoc")] == [404, 404]


@pytest.mark.parametrize("text", ["", "short", "x" * (SHORTEST - 1), "x" * 20 + " y", "\u00e9" * 30, "x" * 30 + "\n"])
def test_a_weak_token_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=f"at least {SHORTEST} printable") as caught:
        Token(text)
    assert not text or text not in str(caught.value)


@pytest.mark.parametrize("show", [repr, str, lambda one: f"{one}", lambda one: repr([one])])
def test_a_token_does_not_show_itself(show: Callable[[object], str]) -> None:
    assert TOKEN not in show(Token(TOKEN))
    assert Token(TOKEN).matches(TOKEN)
