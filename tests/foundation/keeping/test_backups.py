"""A backup and what comes of it: the same rows, uploads and keys on another place, or a refusal that changes nothing."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests.builders.cast import NOW, make_cast
from tests.foundation.keeping.conftest import connection_to
from tests.support.processes import ROOT, other_process
from xiezhi import __version__
from xiezhi.foundation.audit.services import seal_entries
from xiezhi.foundation.files.services import store_upload
from xiezhi.foundation.keeping import archive
from xiezhi.foundation.keeping.backups import examine, make_backup, restore_backup
from xiezhi.foundation.keeping.database import store
from xiezhi.foundation.keeping.proofs import prove_uploads
from xiezhi.foundation.keeping.trouble import Trouble

PHRASE = "四匹马 horse battery"
transactional = pytest.mark.django_db(transaction=True)


def a_bureau(data: Path) -> Path:
    """A district with people, sealed audit entries, one upload and two keys; returns where the upload's content lies."""
    cast = make_cast(with_password=())
    (data / "secret_key").write_text(settings.SECRET_KEY)
    (data / "audit").mkdir()
    (data / "audit" / "private.pem").write_text("a key")
    (data / "audit" / "private.pem").chmod(0o600)
    content = ContentFile("名称,地址\n演示饭店,金榆街1号\n".encode(), name="主体.csv")
    stored = store_upload(content, kinds=["csv"], actor=cast.actor("registrar"), at=NOW)
    seal_entries()
    return stored.path


@transactional
def test_a_drill_an_older_bureau_moves_to_another_place_and_is_whole(
    data_folder: Callable[[str], Path], new_database: Callable[[], str], tmp_path: Path
) -> None:
    """The bureau's database lacks this version's newest table, as after an upgrade; the commands are those that a person types."""
    first = data_folder("first")
    lies_at = a_bureau(first).relative_to(first)
    before = MigrationExecutor(connection)
    before.migrate([("keeping", None)])
    made = make_backup(tmp_path / "bureau.tar.gz", passphrase=PHRASE, at=NOW)
    MigrationExecutor(connection).migrate([("keeping", "0001_initial")])
    assert (made.files, set(made.keys)) == (1, {"secret_key", "audit/private.pem"})
    assert PHRASE.encode() not in made.path.read_bytes() and made.path.stat().st_mode & 0o077 == 0

    about = examine(made.path)
    assert (about["version"], about["uploads"], about["audit"]["sequence"] > 0) == (__version__, 1, True)
    assert "keeping" not in about["migrations"] and about["rows"]["accounts_user"] > 10

    second, address = tmp_path / "second", new_database()
    (tmp_path / "phrase").write_text(PHRASE + "\n")
    environment, _ = other_process(second)
    restore = [sys.executable, "-m", "xiezhi", "restore", str(made.path), "--passphrase-file", str(tmp_path / "phrase")]
    done = subprocess.run(
        restore, env={**environment, "DATABASE_URL": address}, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "each row count agrees" in done.stdout and "FAULT" not in done.stdout and not done.stderr
    for proof in ("database", "uploads", "audit", "ledger"):
        assert f"ok    {proof}" in done.stdout
    assert (second / lies_at).read_bytes() == (first / lies_at).read_bytes()
    assert (second / "audit" / "private.pem").stat().st_mode & 0o777 == 0o600
    assert (second / "secret_key").read_text() == settings.SECRET_KEY
    restored = store(connection_to(address))
    assert restored.snapshot(tmp_path / "after")["migrations"]["keeping"] == ["0001_initial"], (
        "brought up to this version"
    )

    data_folder("second")
    with pytest.raises(Trouble, match=r"not empty: the database has tables and .* has files"):
        restore_backup(made.path, passphrase=lambda: PHRASE, own=restored)


@transactional
def test_what_cannot_be_restored_changes_nothing(
    data_folder: Callable[[str], Path], new_database: Callable[[], str], tmp_path: Path
) -> None:
    a_bureau(data_folder("first"))
    made = make_backup(tmp_path / "bureau.tar", passphrase=PHRASE, at=NOW).path
    own, second = store(connection_to(new_database())), data_folder("second")

    def refused(path: Path, words: str, phrase: str = PHRASE) -> None:
        with pytest.raises(Trouble, match=words):
            restore_backup(path, passphrase=lambda: phrase, own=own)
        assert own.is_empty() and not list(second.iterdir()), words

    refused(made, "passphrase does not open", "another phrase")
    content = made.read_bytes()
    refused(_file(tmp_path / "short.tar", content[: len(content) // 2]), "not a whole backup|not whole")
    middle = content.index(own.member.encode()) + 20_000
    refused(
        _file(tmp_path / "flipped.tar", content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]),
        "altered",
    )
    refused(_changed(made, tmp_path / "newer.tar", migrations={"inspections": ["0999_later"]}), "newer than this one")
    refused(_changed(made, tmp_path / "format.tar", format=2), "format this one cannot read")
    made_up = _changed(made, tmp_path / "counts.tar", rows={"accounts_user": 3})
    if own.kind == "sqlite":
        refused(made_up, "contradicts itself")
    else:  # only the server can count, and then it is there
        with pytest.raises(Trouble, match=r"contradicts itself(.|\n)*loaded all the same"):
            restore_backup(made_up, passphrase=lambda: PHRASE, own=store(connection_to(new_database())))
    other = {"kind": "postgresql" if own.kind == "sqlite" else "sqlite", "member": own.member}
    refused(_changed(made, tmp_path / "kind.tar", database=other), "but this installation uses")
    refused(tmp_path / "nowhere.tar", "There is no file")
    refused(_file(tmp_path / "text.tar", b"hello"), "not a whole backup")

    about = restore_backup(made, passphrase=lambda: None, own=own)
    assert about["uploads"] == 1 and not own.is_empty() and not (second / "secret_key").exists(), "keys were left out"


def _file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _changed(made: Path, path: Path, **told: Any) -> Path:
    """The same archive with another account of itself, and sums that fit it."""
    folder = path.with_suffix("")
    archive.unpack(made, folder)
    about = json.loads((folder / archive.ABOUT).read_text()) | told
    with archive.writing(path) as target:
        target.add_bytes(archive.ABOUT, json.dumps(about).encode())
        for member in sorted(each for each in folder.rglob("*") if each.is_file() and each.name != archive.ABOUT):
            target.add(member.relative_to(folder).as_posix(), member)
    return path


@transactional
def test_a_lost_or_altered_upload_is_named(data_folder: Callable[[str], Path]) -> None:
    content = a_bureau(data_folder("first"))
    assert prove_uploads().faults == ()
    content.write_bytes(b"something else")
    assert "was altered" in prove_uploads().faults[0]
    content.unlink()
    assert "is missing" in prove_uploads().faults[0]
    with pytest.raises(CommandError, match="uploads"):
        call_command("verify")
