"""The signed daily head: what it proves beyond the hashes, and how a forged or missing one is found."""

import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

from tests.builders.cast import NOW
from xiezhi.foundation.access.actors import SYSTEM
from xiezhi.foundation.audit import signing
from xiezhi.foundation.audit.models import Entry, Head, Seal
from xiezhi.foundation.audit.services import GENESIS, digest, record, seal_entries, sign_head
from xiezhi.foundation.audit.verifying import verify_chain

ROOT = Path(__file__).resolve().parents[3]


def act(row) -> None:
    with transaction.atomic():
        record("demo.act", row, actor=SYSTEM, at=NOW)


@pytest.fixture
def signed(chain):
    """The chain, signed today."""
    sign_head(at=NOW)
    return chain


def test_one_head_a_day_lies_in_the_table_and_in_the_file(chain, data):
    head = sign_head(at=NOW)
    assert sign_head(at=NOW + timedelta(hours=3)) is None
    last = Seal.objects.order_by("sequence").last()
    assert (head.sequence, head.digest, head.algorithm) == (last.sequence, last.digest, "sha256")
    later = sign_head(at=NOW + timedelta(days=1))
    lines = list(signing.lines(data / "audit" / "heads.jsonl"))
    assert [line["signature"] for line in lines] == [head.signature, later.signature]
    report = verify_chain()
    assert (report.fault, report.heads, report.last_signed) == (None, 2, "2026-11-24")
    assert (data / "audit" / "private.pem").stat().st_mode & 0o077 == 0
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Head.objects.update(sequence=1)


def test_nothing_is_signed_before_anything_is_sealed(db, data):
    assert sign_head(at=NOW) is None and not (data / "audit").exists()


def test_a_chain_cut_short_or_computed_anew_is_found(signed, without_triggers):
    assert verify_chain().fault is None
    last = Seal.objects.order_by("sequence").last()
    without_triggers(f"DELETE FROM audit_seal WHERE sequence = {last.sequence}")
    assert "the chain ends at sequence" in verify_chain().fault
    # Whoever owns the database can make every hash fit again; the head then does not.
    without_triggers("DELETE FROM audit_seal")
    without_triggers(f"UPDATE audit_entry SET action = 'forged' WHERE id = {Entry.objects.earliest('pk').pk}")
    seal_entries()
    assert "is not what was signed on 2026-11-23" in verify_chain().fault


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE audit_head SET sequence = sequence - 1", "differs from the one in the table"),
        ("DELETE FROM audit_head", "stands in the file but not in the table"),
    ],
)
def test_an_altered_or_removed_head_is_found(signed, without_triggers, statement, fault):
    without_triggers(statement)
    assert fault in verify_chain().fault


def test_a_forged_head_has_no_valid_signature_and_a_strange_key_is_named(signed, data, without_triggers):
    forger = signing.Ed25519PrivateKey.generate()
    line = next(signing.lines(signing.heads_file()))
    forged = {**line, "signature": signing.sign(line, forger)}
    signing.heads_file().write_text(json.dumps(forged) + "\n")
    without_triggers(f"UPDATE audit_head SET signature = '{forged['signature']}'")
    assert "was forged or altered" in verify_chain().fault
    public = next((data / "audit").glob("public-*.pem"))
    public.rename(data / "elsewhere.pem")
    assert "whose public key is not here" in verify_chain().fault


def test_a_copy_kept_elsewhere_tells_what_was_removed_here(signed, data, without_triggers, tmp_path):
    copy, key = tmp_path / "copy.jsonl", tmp_path / "key.pem"
    copy.write_text(signing.heads_file().read_text())
    key.write_bytes(next((data / "audit").glob("public-*.pem")).read_bytes())
    without_triggers("DELETE FROM audit_head")
    signing.heads_file().unlink()
    assert verify_chain().fault is None
    assert "not in the table" in verify_chain(heads_file=copy, public_keys=[key]).fault
    copy.write_text("no head\n")
    with pytest.raises(signing.KeyTrouble, match="line 1"):
        verify_chain(heads_file=copy)


def test_a_lost_key_is_said_aloud_and_a_new_one_begins_by_command(signed, data, capsys):
    (data / "audit" / "private.pem").unlink()
    with pytest.raises(signing.KeyTrouble, match="restore it from the backup"):
        sign_head(at=NOW + timedelta(days=1))
    call_command("audit", "new-key")
    assert sign_head(at=NOW + timedelta(days=1))
    assert verify_chain().fault is None  # the old head by the old key, the new one by the new
    assert len(signing.public_keys()) == 2
    call_command("audit", "public-key")
    assert "BEGIN PUBLIC KEY" in capsys.readouterr().out


def test_switching_to_sm3_in_the_middle_keeps_verifying(chain, settings, without_triggers):
    before = Seal.objects.count()
    settings.CHAIN_HASH = "sm3"
    act(chain.district)
    assert seal_entries() == 1
    last = Seal.objects.select_related("entry").order_by("sequence").last()
    previous = Seal.objects.get(sequence=last.sequence - 1).digest
    assert last.algorithm == "sm3" and last.digest == digest(previous, last.sequence, last.entry, "sm3")
    assert verify_chain().algorithms == (("sha256", before), ("sm3", 1))
    without_triggers("UPDATE audit_seal SET algorithm = 'sha256'")  # a seal cannot be taken for another's
    assert f"sequence {last.sequence}" in verify_chain().fault


def test_an_unknown_or_unavailable_hash_stops_the_start(settings, monkeypatch):
    from xiezhi.foundation.audit import hashing

    assert hashing.check_chain_hash() == []
    # 66C7F0F4… is the first example of GB/T 32905—2016, appendix A.
    assert hashing.hexdigest("abc", "sm3").startswith("66c7f0f462eeedd9d1f2d46bdc10e4e2")
    settings.CHAIN_HASH = "md5"
    assert "known are sha256, sm3" in hashing.check_chain_hash()[0].msg
    settings.CHAIN_HASH = "sm3"
    monkeypatch.setattr(hashing.hashlib, "new", lambda name, data: (_ for _ in ()).throw(ValueError(name)))
    assert "XIEZHI_CHAIN_HASH=sha256" in hashing.check_chain_hash()[0].msg


def test_the_recipe_in_the_documents_verifies_an_export_without_our_code(signed, data, tmp_path, settings):
    settings.CHAIN_HASH = "sm3"
    act(signed.district)
    seal_entries()
    page = (ROOT / "docs/explanation/audit-chain.md").read_text("utf-8")
    recipe = tmp_path / "verify.py"
    recipe.write_text(re.search(r"```python\n(.*?)```", page, re.DOTALL)[1])
    chain, key = tmp_path / "chain.jsonl", next((data / "audit").glob("public-*.pem"))
    call_command("audit", "export", "--out", str(chain))
    arguments = [sys.executable, str(recipe), str(chain), str(signing.heads_file()), str(key)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{Seal.objects.count()} entries" in done.stdout and "1 heads" in done.stdout
    chain.write_text(chain.read_text().replace("access.appointed", "access.forged___", 1))
    assert subprocess.run(arguments, capture_output=True, check=False).returncode
    with pytest.raises(CommandError, match="exists"):
        call_command("audit", "export", "--out", str(chain))


def test_the_command_names_the_unsealed_tail(chain, capsys):
    act(chain.district)
    call_command("audit", "verify")
    told = capsys.readouterr().out
    entry = Entry.objects.latest("pk")
    assert f"1 not yet sealed: entries {entry.pk} to {entry.pk}" in told and "no signed head yet" in told
    assert GENESIS[:16] not in told
