"""The virus scanner of the house, if there is one: clamd behind a socket, or any command. Without one, that is said and not hidden."""

import shlex
import socket
import struct
import subprocess
from pathlib import Path

from django.conf import settings
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiezhi.foundation.workflow.errors import Refused

SECONDS = 60
PIECE = 64 * 1024


class Scan(models.TextChoices):
    ABSENT = "absent", gettext_lazy("未查毒（没有配置查毒程序）")
    CLEAN = "clean", gettext_lazy("查毒未发现问题")


class ScannerDown(Exception):
    """The scanner did not give an answer."""


def scan(path: Path) -> Scan:
    """Let the configured scanner (`VIRUS_SCAN`) look at the file: `unix:/run/clamav/clamd.ctl`, `tcp:127.0.0.1:3310`, or
    `command:/usr/bin/clamdscan --no-summary --fdpass` (the path is added; exit status 0 clean, 1 infected).

    Raises Refused for an infected file, and also when the scanner gives no answer: what could not be looked at is not taken in.
    """
    how, _colon, where = settings.VIRUS_SCAN.partition(":")
    if not how:
        return Scan.ABSENT
    try:
        infected = _ask_command(where, path) if how == "command" else _ask_clamd(how, where, path)
    except (OSError, subprocess.SubprocessError, ScannerDown, ValueError) as error:
        raise Refused(_("查毒程序暂时没有回应，文件没有接收。请稍后再试，或者联系管理员。")) from error
    if infected:
        raise Refused(_("查毒程序在这个文件里发现了问题，没有接收。请先在电脑上杀毒后重新上传。"))
    return Scan.CLEAN


def _ask_command(command: str, path: Path) -> bool:
    status = subprocess.run(
        [*shlex.split(command), str(path)], stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False
    ).returncode
    if status not in {0, 1}:
        raise ScannerDown(f"exit status {status}")
    return status == 1


def _ask_clamd(how: str, where: str, path: Path) -> bool:
    """clamd's INSTREAM: pieces with their length in front, so that clamd needs no right to read our folder."""
    with _connected(how, where) as clamd, path.open("rb") as file:
        clamd.sendall(b"zINSTREAM\0")
        while piece := file.read(PIECE):
            clamd.sendall(struct.pack("!L", len(piece)) + piece)
        clamd.sendall(struct.pack("!L", 0))
        answer = b""
        while not answer.endswith(b"\0") and (more := clamd.recv(4_096)):
            answer += more
    said = answer.rstrip(b"\0\n ")
    if said.endswith(b"FOUND"):
        return True
    if said.endswith(b"OK"):
        return False
    raise ScannerDown(said[:80])


def _connected(how: str, where: str) -> socket.socket:
    if how == "unix":
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(SECONDS)
        connection.connect(where)
        return connection
    if how == "tcp":
        host, _colon, port = where.rpartition(":")
        return socket.create_connection((host, int(port)), timeout=SECONDS)
    raise ScannerDown(f"VIRUS_SCAN: {how!r} is none of unix, tcp, command")
