"""The commands that an administrator types."""

import getpass
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from tests.builders.cast import NOW, Cast
from xiezhi.foundation.access.models import Membership
from xiezhi.foundation.access.services import open_account
from xiezhi.foundation.audit.models import Entry, Seal
from xiezhi.foundation.jobs.models import PeriodicRun
from xiezhi.foundation.orgs.models import Organisation

PASSWORD = "Yinhuai-7-bridges"


def run(*arguments: str, **options: object) -> str:
    said = StringIO()
    call_command(*arguments, stdout=said, **options)
    return said.getvalue()


def type_password(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    monkeypatch.setattr(getpass, "getpass", lambda prompt="": password)


@pytest.mark.django_db
def test_found_begins_an_installation_once(monkeypatch: pytest.MonkeyPatch) -> None:
    type_password(monkeypatch, PASSWORD)
    assert "示例区" in run("found", district="示例区", code="110199")
    post = Membership.objects.get()
    assert (post.user.username, post.role, post.organisation.name) == ("admin", "administrator", "示例区")
    assert Client().login(username="admin", password=PASSWORD)
    with pytest.raises(CommandError, match="不能再次初始化"):
        run("found", district="另一区", code="110198")
    assert Organisation.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("password", ["short", "1234567890", ""])
def test_found_refuses_a_weak_password_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    type_password(monkeypatch, password)
    with pytest.raises(CommandError):
        run("found", district="示例区", code="110199")
    assert not Organisation.objects.exists() and not Membership.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_tick_once_does_every_duty_and_audit_verify_proves_the_chain(cast: Cast) -> None:
    before = Entry.objects.count()
    open_account(username="new", display_name="新", password=None, actor=cast.actor("administrator"), at=NOW)
    assert Entry.objects.count() == before + 1 and not Seal.objects.exists()
    assert f"{before + 1} not yet sealed" in run("audit", "verify")
    run("tick", once=True)
    assert Seal.objects.count() == before + 1
    report = run("audit", "verify")
    assert f"{before + 1} sealed entries" in report and "0 not yet sealed" in report
    duties = PeriodicRun.objects.values_list("name", flat=True)
    assert {"audit.seal", "events.deliver", "jobs.reclaim", "inspections.chase"} <= set(duties)
    assert not PeriodicRun.objects.filter(last_run_at__lt=timezone.now() - timedelta(minutes=5)).exists()


@pytest.mark.django_db
def test_generate_docs_writes_what_check_then_finds_up_to_date(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"states\.md"):
        run("generate_docs", folder=tmp_path, check=True)
    assert not list(tmp_path.iterdir()), "--check only compares"
    run("generate_docs", folder=tmp_path)
    assert run("generate_docs", folder=tmp_path, check=True) == "up to date\n"
    states = tmp_path / "states.md"
    states.write_text(states.read_text("utf-8").replace("-->", "--> ", 1), "utf-8")
    with pytest.raises(CommandError, match=r"states\.md"):
        run("generate_docs", folder=tmp_path, check=True)
