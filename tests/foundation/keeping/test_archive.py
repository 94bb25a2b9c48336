"""The file itself: whole or absent, and never opened past what it proves."""

import hashlib
import resource
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xiezhi.foundation.keeping import archive, keys
from xiezhi.foundation.keeping.trouble import Trouble

PHRASE = "correct horse"
MEMBERS = {archive.ABOUT: b'{"format": 1}', "database.sqlite3": b"rows" * 5_000, "files/content/ab/abc": b"\0" * 700}


def made(path: Path) -> Path:
    with archive.writing(path) as target:
        for name, content in MEMBERS.items():
            target.add_bytes(name, content)
    return path


def test_what_goes_in_comes_out_and_sha256sum_can_prove_it(tmp_path: Path) -> None:
    path = made(tmp_path / "a.tar.gz")
    sums = archive.unpack(path, tmp_path / "out")
    assert {name: (tmp_path / "out" / name).read_bytes() for name in MEMBERS} == MEMBERS
    assert sums == {name: hashlib.sha256(content).hexdigest() for name, content in MEMBERS.items()}
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".xiezhi")] == []
    with tarfile.open(path) as tar:
        lines = tar.extractfile(archive.SUMS).read().decode().splitlines()  # type: ignore[union-attr]
    assert lines == [f"{digest}  {name}" for name, digest in sums.items()], "the format of coreutils"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return made(tmp_path_factory.mktemp("plain") / "a.tar").read_bytes()


@settings(max_examples=40)
@given(place=st.integers(min_value=0), bit=st.integers(0, 7), cut=st.booleans())
def test_no_damage_passes(
    plain: bytes, tmp_path_factory: pytest.TempPathFactory, place: int, bit: int, cut: bool
) -> None:
    """A bit turned in any content or an end cut off: refused. Bits of a tar header that carry no meaning may pass, contents unharmed."""
    folder, place = tmp_path_factory.mktemp("damage"), place % len(plain)
    damaged = plain[:place] if cut else plain[:place] + bytes([plain[place] ^ 1 << bit]) + plain[place + 1 :]
    (folder / "a.tar").write_bytes(damaged)
    try:
        archive.unpack(folder / "a.tar", folder / "out")
    except Trouble:
        return
    assert {name: (folder / "out" / name).read_bytes() for name in MEMBERS} == MEMBERS


def test_names_that_lead_elsewhere_are_refused(tmp_path: Path) -> None:
    for name in ("/etc/xiezhi", "../outside"):
        path = tmp_path / f"{len(name)}.tar"
        with archive.writing(path) as target:
            target.add_bytes(archive.ABOUT, b"{}")
            target.add_bytes(name, b"x")
        with pytest.raises(Trouble, match="which no backup has"):
            archive.unpack(path, tmp_path / f"out{len(name)}")
    assert not (tmp_path / "outside").exists()


def test_nothing_is_overwritten_and_bad_names_are_told(tmp_path: Path) -> None:
    path = made(tmp_path / "a.tar.gz")
    for target, words in (
        (path, "overwrites nothing"),
        (tmp_path / "no" / "a.tar.gz", "no folder"),
        (tmp_path / "a.zip", "ends in .tar.gz"),
    ):
        with pytest.raises(Trouble, match=words):
            made(target)


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    """No file may grow beyond `size` bytes: to the writer the same as a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    with disk_of(8_000), pytest.raises(Trouble, match="no room left"):
        made(tmp_path / "a.tar")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_writer_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), archive.writing(tmp_path / "a.tar.gz") as target:
        target.add_bytes("x", b"x")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_keys_come_back_with_their_modes_under_the_right_passphrase_only(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for name, mode in (("secret_key", 0o600), ("audit/public.pem", 0o644)):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(f"content of {name}")
        (data / name).chmod(mode)
    for name in ("xiezhi.sqlite3", "xiezhi.sqlite3-wal", "static/a.css", "files/content/ab", ".restoring-1/x"):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text("no key")
    found = keys.key_files(data)
    assert set(found) == {"secret_key", "audit/public.pem"}
    sealed = keys.seal(found, PHRASE)
    assert b"content of" not in sealed
    with pytest.raises(Trouble, match="does not open"):
        keys.unseal(sealed, PHRASE + " ", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert keys.unseal(sealed, PHRASE, tmp_path / "out") == ["audit/public.pem", "secret_key"]
    assert (tmp_path / "out" / "secret_key").read_text() == "content of secret_key"
    assert (tmp_path / "out" / "audit" / "public.pem").stat().st_mode & 0o777 == 0o644


def test_short_passphrases_and_what_is_no_key_are_refused(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").touch()
    with (tmp_path / "film.mp4").open("wb") as file:
        file.truncate(keys.MOST_BYTES + 1)
    with pytest.raises(Trouble, match="at least 10"):
        keys.seal({}, "short")
    with pytest.raises(Trouble, match=r"film\.mp4"):
        keys.seal(keys.key_files(tmp_path), PHRASE)
