"""What machines ask of a running installation, and what they must not learn."""

import json
import logging
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client, RequestFactory, override_settings
from django.urls import reverse
from django.utils import timezone

from tests.builders.cast import NOW, Cast, make_cast
from xiezhi.foundation.jobs import periodic
from xiezhi.foundation.jobs import services as jobs
from xiezhi.foundation.jobs.handlers import handles
from xiezhi.foundation.keeping import health, logs, views
from xiezhi.foundation.keeping.models import Pulse
from xiezhi.foundation.keeping.services import beat, beating


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast(with_password=())


def test_alive_is_said_without_a_database_a_known_host_or_https(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here has the `db` mark: a query would fail the test."""
    with override_settings(ALLOWED_HOSTS=["inspect.example.cn"], SECURE_SSL_REDIRECT=True):
        answer = Client(headers={"host": "10.0.0.7:8000"}).get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
def test_ready_once_ticker_and_worker_live_and_no_longer_when_they_are_silent() -> None:
    def missing() -> tuple[int, list[str]]:
        answer = Client().get("/readyz")
        return answer.status_code, answer.json()["missing"]

    now = timezone.now()
    assert missing() == (503, ["ticker", "worker"])
    periodic.run_due(at=now)
    beat(name="worker here:1", started_at=now, at=now)
    assert missing() == (200, [])
    Pulse.objects.update(beat_at=now - health.SILENT_AFTER - timedelta(seconds=5))
    assert missing() == (503, ["worker"])
    beat(name="worker here:2", started_at=now, at=now + timedelta(days=2))
    assert [each.name for each in Pulse.objects.all()] == ["worker here:2"], "the dead are forgotten"


@pytest.mark.django_db
def test_not_ready_while_a_migration_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_migrated", False)
    monkeypatch.setattr(health, "unapplied_migrations", lambda: ["registry 0099_later"])
    assert Client().get("/readyz").json() == {"ready": False, "missing": ["migrations"]}


@pytest.mark.django_db
def test_people_are_told_kindly_that_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """From a view, and from a middleware that looks for the session. The driver's words stay in the log."""

    def refuse(*_: Any) -> None:
        raise OperationalError("connection to server at 127.0.0.1 failed: Connection refused, user=xiezhi")

    with monkeypatch.context() as away:
        away.setattr(connection, "cursor", refuse)
        away.setattr(connection, "ensure_connection", refuse)
        for path, cookie in (("/my/open/some-token/", ""), (reverse("desk:home"), "a" * 32)):
            client = Client(raise_request_exception=False)
            client.cookies["sessionid"] = cookie
            answer = client.get(path)
            text = answer.content.decode()
            assert (answer.status_code, answer["Retry-After"]) == (503, "10")
            assert "数据库暂时连不上" in text and "127.0.0.1" not in text
            assert answer["X-Request-ID"] in text, "what to tell the administrator"
        assert Client().get("/readyz").json()["missing"] == ["database"]
        figures = Client().get("/metrics").content.decode()
    assert "xiezhi_database_up 0.0" in figures and "xiezhi_jobs{" not in figures


def test_what_breaks_otherwise_is_no_503() -> None:
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        assert views.broken(RequestFactory().get("/")).status_code == 500


def test_figures_count_what_waits_and_name_nobody(cast: Cast, client: Client) -> None:
    handles("toy.metrics")(lambda context: None)
    jobs.enqueue(
        "toy.metrics", title="张三的导入", actor=cast.actor("registrar"), at=timezone.now() - timedelta(minutes=3)
    )
    beat(name="worker here:1", started_at=NOW, at=timezone.now())
    client.get("/desk/people/7/?q=13800000000")
    client.get("/nowhere/13800000000/")
    text = client.get("/metrics").content.decode()
    values = {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line[0] != "#"}
    assert values['xiezhi_jobs{status="queued"}'] == 1
    assert 179 < values["xiezhi_jobs_oldest_queued_seconds"] < 300
    assert values["xiezhi_audit_unsealed"] > 0 and values["xiezhi_database_up"] == 1
    assert values['xiezhi_pulse_age_seconds{process="worker"}'] < 60
    assert values['xiezhi_requests_total{method="GET",route="access:person",status="3xx"}'] >= 1
    assert values['xiezhi_requests_total{method="GET",route="-",status="4xx"}'] >= 1
    said = "\n".join(values)  # the numbers themselves may hold any digits
    assert "138000" not in said and "张三" not in text and "/desk/" not in text


@pytest.mark.django_db
def test_figures_are_for_this_machine_or_for_who_has_the_token(settings: Any) -> None:
    def status(**headers: str) -> int:
        return Client(REMOTE_ADDR=headers.pop("address", "127.0.0.1"), headers=headers).get("/metrics").status_code

    assert (status(), status(address="::1")) == (200, 200)
    assert status(address="10.0.0.9") == 404
    assert status(**{"X-Forwarded-For": "203.0.113.5"}) == 404, "a proxy on this machine speaks for others"
    settings.METRICS_TOKEN = "a-token-of-some-length"
    assert (status(), status(Authorization="Bearer wrong")) == (404, 404)
    assert status(address="10.0.0.9", Authorization="Bearer a-token-of-some-length") == 200


def test_a_requests_number_is_its_own_or_a_sane_one_of_the_proxy(client: Client) -> None:
    given = client.get("/accounts/nowhere/", headers={"X-Request-ID": "abc-12345678"})["X-Request-ID"]
    forged = client.get("/accounts/nowhere/", headers={"X-Request-ID": "x y\u00b7{}"})["X-Request-ID"]
    assert given == "abc-12345678" and forged.isalnum() and len(forged) == 32


def line_of(form: type[logging.Formatter], message: str, *args: object, **extra: object) -> str:
    record = logging.getLogger("x").makeRecord("x", logging.INFO, "f", 1, message, args, None, extra=extra)
    logs.RequestId().filter(record)
    return form().format(record)


@pytest.mark.parametrize("form", [logs.Line, logs.Json])
@pytest.mark.parametrize(
    ("said", "hidden", "kept"),
    [
        ("login of 13812345678 failed", "12345678", "login of 13"),
        ("DETAIL: Key (number)=(11010119900307123X) exists", "19900307", "DETAIL: Key"),
        ("GET /desk/registry/?q=王小明&page=2 500", "王小明", "/desk/registry/"),
        ("Internal Server Error: /my/open/Zk3-9aXbQ_2fLmNpRsTuVw81/", "Zk3-9aXbQ", "/my/open/"),
        ("postgres://xiezhi:p4ss@10.0.0.2/xiezhi", "p4ss", "10.0.0.2/xiezhi"),
        ("sent to lan.hua@example.cn", "lan.hua", "sent to"),
        ("took 1763888400123 ns, code 91110199MA0000000X, why? because", "***", "91110199MA0000000X, why? because"),
    ],
)
def test_logs_name_no_person(form: type[logging.Formatter], said: str, hidden: str, kept: str) -> None:
    text = line_of(form, "%s", said)
    assert hidden not in text and kept in text


def test_json_lines_can_be_read_back(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    line = json.loads(line_of(logs.Json, "%s 行", 3, route="desk:home", request=object()))
    assert line["message"] == "3 行" and line["level"] == "INFO" and line["route"] == "desk:home"
    assert {"time", "logger", "request_id"} <= set(line) and "request" not in line


@pytest.mark.django_db(transaction=True)
def test_a_worker_beats_while_it_works() -> None:
    with beating("worker here:3"):
        for _ in range(200):
            if Pulse.objects.filter(name="worker here:3").exists():
                break
            time.sleep(0.02)
    assert Pulse.objects.get().beat_at >= Pulse.objects.get().started_at
