"""The doctor finds what is wrong, says how to mend it, and changes nothing."""

from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.utils import timezone

from tests.builders.cast import make_cast
from xiezhi.foundation.access.services import open_account
from xiezhi.foundation.jobs import periodic
from xiezhi.foundation.jobs import services as jobs
from xiezhi.foundation.jobs.handlers import handles
from xiezhi.foundation.keeping import doctor
from xiezhi.foundation.keeping.doctor import Level
from xiezhi.foundation.keeping.services import beat
from xiezhi.foundation.privacy import keyring, sealing
from xiezhi.foundation.privacy.models import Request


def findings(**ahead: float) -> dict[str, tuple[Level, str]]:
    found = {each.subject: each for each in doctor.examine(at=timezone.now() + timedelta(**ahead))}
    assert all(each.mend for each in found.values() if each.level is not Level.OK), "each trouble has its mend"
    return {name: (each.level, each.said) for name, each in found.items()}


@pytest.mark.django_db
def test_a_bureau_that_runs_is_well_and_what_goes_wrong_is_named(settings: Any) -> None:
    cast = make_cast(with_password=())
    settings.ALLOWED_HOSTS, settings.HTTPS = ["inspect.example.cn"], True
    now = timezone.now()
    periodic.run_due(at=now)
    beat(name="worker here:1", started_at=now, at=now)
    well = findings()
    unsure = {"database"} if connection.vendor == "sqlite" else set()  # the tests' SQLite does not wait for the disk
    assert {name for name, (level, _said) in well.items() if level is not Level.OK} == unsure | {"people"}
    assert well["people"] == (Level.WARN, "one administrator")

    handles("toy.doctor")(lambda context: None)
    jobs.enqueue("toy.doctor", title="演示", actor=cast.actor("registrar"), at=now)
    open_account(
        username="x", display_name="演示", password=None, actor=cast.actor("administrator"), at=now + timedelta(days=1)
    )
    settings.ALLOWED_HOSTS, settings.DEBUG, settings.SECRET_KEY = ["*"], True, "short"
    ill = findings(minutes=30)
    for name, level, words in (
        ("hosts", Level.FAIL, "any name"),
        ("https", Level.FAIL, "DEBUG"),
        ("secret key", Level.FAIL, "only 5"),
        ("clock", Level.FAIL, "later than now"),
        ("jobs", Level.WARN, "the oldest for 30 minutes"),
        ("ticker", Level.WARN, "silent since"),
        ("worker", Level.WARN, "silent since"),
    ):
        assert ill[name][0] is level and words in ill[name][1], f"{name}: {ill[name]}"


@pytest.mark.django_db
def test_an_empty_installation_and_one_left_behind(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert findings()["people"] == (Level.FAIL, "no administrator")
    assert findings()["worker"] == (Level.WARN, "has never run here")
    settings.DATA = settings.DATA / "nowhere"
    monkeypatch.setattr(doctor, "unapplied_migrations", lambda: ["registry 0099_later"])
    ill = findings()
    assert ill["data folder"][0] is Level.FAIL and "0099_later" in ill["migrations"][1]
    assert "worker" not in ill, "a table of another version is not asked"
    with pytest.raises(CommandError, match=r"data folder, .*migrations"):
        call_command("doctor", stdout=StringIO())


@pytest.mark.django_db
def test_a_database_that_is_away_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OperationalError("connection refused\nIs the server running?")

    with monkeypatch.context() as away:
        away.setattr(connection, "ensure_connection", refuse)
        ill = findings()
    assert ill["database"] == (Level.FAIL, "does not answer: connection refused") and "migrations" not in ill


@pytest.mark.django_db
def test_keys_that_were_lost_while_something_lies_under_them(settings: Any, tmp_path: Path) -> None:
    cast = make_cast(with_password=())
    settings.DATA = tmp_path
    now, by = timezone.now(), cast.people["administrator"]
    Request.objects.create(sought="13900000001", identity="演示", asked_at=now, by=by)
    assert findings()["sealed values"] == (Level.OK, "1")
    keyring.place().unlink()  # the next use makes a new one, which opens nothing of before
    sealing.seal("x")
    level, said = findings()["sealed values"]
    assert level is Level.FAIL and said.startswith("1 lie under keys that are gone")
