"""What is wrong with an installation, and how to mend it. Looks, changes nothing."""

import os
import platform
import shutil
import sys
import tempfile
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.models import Max, Min

from xiezhi.foundation.access.models import Membership
from xiezhi.foundation.audit.models import Entry
from xiezhi.foundation.jobs.models import Job
from xiezhi.foundation.keeping.database import store
from xiezhi.foundation.keeping.health import SILENT_AFTER, signs_of_life
from xiezhi.foundation.keeping.proofs import unapplied_migrations
from xiezhi.foundation.keeping.trouble import Trouble
from xiezhi.foundation.privacy import keyring
from xiezhi.foundation.privacy.services import rows_by_key

LITTLE_ROOM_MB = 2_000
NO_ROOM_MB = 200
WAITS_TOO_LONG = timedelta(minutes=10)
CLOCK_DOUBT = timedelta(minutes=2)
ASSETS = ("ui/dist/xiezhi.css", "ui/dist/xiezhi.js", "ui/dist/tabler.css", "ui/dist/htmx.js")


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, how it is, and for all but OK how to mend it."""

    level: Level
    subject: str
    said: str
    mend: str = ""


def examine(*, at: datetime) -> Iterator[Finding]:
    """Every finding, what needs no database first. When the database does not answer, what needs it is left out."""
    for look in (python, catalogue, assets, secret_key, personal_keys, names, https, data_folder, time_zone):
        yield look()
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        yield Finding(Level.FAIL, "database", f"does not answer: {first}", _database_mend())
        return
    yield database()
    migrations = migrated()
    yield migrations
    if migrations.level is Level.OK:
        for with_rows in (sealed_values, backup_tools, clock, backlog, administrators):
            yield with_rows(at)
        yield from processes(at)


def python() -> Finding:
    """Which interpreter runs this; one that is too old could not have been installed for."""
    return Finding(Level.OK, "python", f"{platform.python_version()}, {sys.prefix}")


def catalogue() -> Finding:
    """Each language has its compiled catalogue."""
    folders = [path for root in settings.LOCALE_PATHS for path in Path(root).glob("*/LC_MESSAGES")]
    missing = [path.parent.name for path in folders if not (path / "django.mo").exists()]
    if missing:
        return Finding(
            Level.WARN,
            "languages",
            f"{', '.join(missing)}: not compiled",
            "run `make setup`, or install the wheel again",
        )
    return Finding(Level.OK, "languages", ", ".join(["zh-hans", *(path.parent.name for path in folders)]))


def assets() -> Finding:
    """What the browser gets is built."""
    missing = [name for name in ASSETS if finders.find(name) is None]
    if missing:
        return Finding(
            Level.FAIL, "assets", f"not built: {', '.join(missing)}", "run `make setup`, or install the wheel again"
        )
    return Finding(Level.OK, "assets", "built")


def secret_key() -> Finding:
    """Long, and if it is a file, its owner's alone."""
    place = settings.DATA / "secret_key"
    if len(settings.SECRET_KEY) < 50:
        return Finding(
            Level.FAIL, "secret key", f"only {len(settings.SECRET_KEY)} characters", "take 50 random characters or more"
        )
    if "XIEZHI_SECRET_KEY" in os.environ:
        return Finding(Level.OK, "secret key", "from the environment; no backup holds it, so keep it elsewhere too")
    if place.exists() and place.stat().st_mode & 0o077:
        return Finding(Level.FAIL, "secret key", f"others may read {place}", f"chmod 600 {place}")
    return Finding(Level.OK, "secret key", str(place))


def personal_keys() -> Finding:
    """The keys that personal data is sealed under can be read, by nobody else."""
    if not keyring.from_environment() and not keyring.place().exists():
        return Finding(Level.OK, "personal keys", "none yet: they are made with the first number that is sealed")
    try:
        keyring.ring()
    except ImproperlyConfigured as trouble:
        return Finding(Level.FAIL, "personal keys", str(trouble), "bring them back from the backup made last")
    if keyring.from_environment():
        return Finding(
            Level.OK, "personal keys", "from the environment; no backup holds them, so keep them elsewhere too"
        )
    if keyring.place().stat().st_mode & 0o077:
        return Finding(
            Level.FAIL, "personal keys", f"others may read {keyring.place()}", f"chmod 600 {keyring.place()}"
        )
    return Finding(Level.OK, "personal keys", str(keyring.place()))


def names() -> Finding:
    """The site answers to the names that people use."""
    hosts = settings.ALLOWED_HOSTS
    if "*" in hosts:
        return Finding(Level.FAIL, "hosts", "any name is accepted", "name the site's own names in XIEZHI_HOSTS")
    if set(hosts) <= {"127.0.0.1", "localhost", "[::1]"}:
        return Finding(
            Level.WARN, "hosts", "only this machine may call", "others come in once XIEZHI_HOSTS names the site"
        )
    return Finding(Level.OK, "hosts", ", ".join(hosts))


def https() -> Finding:
    """Cookies travel over HTTPS alone."""
    if settings.DEBUG:
        return Finding(Level.FAIL, "https", "XIEZHI_DEBUG=1 shows settings to everybody", "unset XIEZHI_DEBUG")
    if not settings.HTTPS:
        mend = "put a server with HTTPS before it and set XIEZHI_HTTPS=1; cameras and forms without a network need it"
        return Finding(Level.WARN, "https", "off", mend)
    return Finding(Level.OK, "https", "only")


def data_folder() -> Finding:
    """The data folder can be written to and has room."""
    place = settings.DATA
    try:
        with tempfile.NamedTemporaryFile(prefix=".doctor-", dir=place):
            pass
    except OSError as error:
        mend = f"give it to the user that runs Xiezhi: chown -R USER {place}"
        return Finding(Level.FAIL, "data folder", f"{place} cannot be written to ({error.strerror})", mend)
    free = shutil.disk_usage(place).free // 1_000_000
    said = f"{place}, {free:,} MB free"
    if free < LITTLE_ROOM_MB:
        level = Level.FAIL if free < NO_ROOM_MB else Level.WARN
        return Finding(
            level, "data folder", said, "make room on that disk, or move the folder and name it in XIEZHI_DATA"
        )
    return Finding(Level.OK, "data folder", said)


def time_zone() -> Finding:
    """Days begin when the district's do."""
    try:
        zoneinfo.ZoneInfo(settings.TIME_ZONE)
    except zoneinfo.ZoneInfoNotFoundError:
        return Finding(Level.FAIL, "time zone", f"{settings.TIME_ZONE} is unknown here", "apt-get install tzdata")
    return Finding(Level.OK, "time zone", settings.TIME_ZONE)


def _database_mend() -> str:
    if connection.vendor == "sqlite":
        return f"look at {connection.settings_dict['NAME']}: is it there, and may this user read and write it and its folder?"
    return "is the server running, and are address, user and password in DATABASE_URL right?"


def database() -> Finding:
    """Its kind and version; on SQLite that commits survive a power failure."""
    with connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            version, oldest = store().version(), (14,)
            said = f"PostgreSQL {version}"
            if int(version.split(".")[0]) < oldest[0]:
                return Finding(Level.FAIL, "database", said, "Django 5.2 needs PostgreSQL 14 or newer")
            return Finding(Level.OK, "database", said)
        mode = cursor.execute("PRAGMA journal_mode").fetchone()[0]
        durable = cursor.execute("PRAGMA synchronous").fetchone()[0]
    said = f"SQLite {store().version()}, journal_mode={mode}, synchronous={durable}"
    if mode != "wal" or durable < 2:
        mend = "use a local disk (a network folder cannot do this) and the settings that Xiezhi brings"
        return Finding(Level.FAIL, "database", said, mend)
    return Finding(Level.OK, "database", said)


def migrated() -> Finding:
    """The tables are those of this version."""
    waiting = unapplied_migrations()
    if waiting:
        some = f"{len(waiting)} not applied ({', '.join(waiting[:3])}{' …' if waiting[3:] else ''})"
        return Finding(Level.FAIL, "migrations", some, "make a backup, then run `xiezhi migrate`")
    return Finding(Level.OK, "migrations", "all applied")


def sealed_values(_at: datetime) -> Finding:
    """Everything that is sealed has its key."""
    under = {name: count for name, count in rows_by_key().items() if name}
    try:
        lost = sorted(set(under) - set(keyring.ring().keys)) if under else []
    except ImproperlyConfigured:
        lost = sorted(under)
    if lost:
        said = (
            f"{sum(under[name] for name in lost)} lie under keys that are gone ({', '.join(lost)}) and cannot be read"
        )
        mend = f"put these keys from a backup into {keyring.NAME}, beside what stands there"
        return Finding(Level.FAIL, "sealed values", said, mend)
    return Finding(Level.OK, "sealed values", f"{sum(under.values())}")


def backup_tools(at: datetime) -> Finding:
    """A backup can be made."""
    own = store()
    try:
        programs = own.programs()
    except Trouble as trouble:
        return Finding(Level.WARN, "backup", "cannot be made", str(trouble))
    return Finding(Level.OK, "backup", ", ".join(programs) or "needs nothing else")


def clock(at: datetime) -> Finding:
    """Nothing in the books is later than now."""
    last = Entry.objects.aggregate(last=Max("at"))["last"]
    if last and last > at + CLOCK_DOUBT:
        mend = "set the clock right (timedatectl set-ntp true); statutory periods are counted from it"
        return Finding(
            Level.FAIL, "clock", f"the newest audit entry is of {last:%Y-%m-%d %H:%M} UTC, later than now", mend
        )
    return Finding(Level.OK, "clock", f"{at:%Y-%m-%d %H:%M:%S} UTC")


def backlog(at: datetime) -> Finding:
    """Jobs do not pile up."""
    queued = Job.objects.filter(status=Job.Status.QUEUED)
    oldest, count = queued.aggregate(first=Min("created_at"))["first"], queued.count()
    if oldest and oldest < at - WAITS_TOO_LONG:
        minutes = int((at - oldest).total_seconds() // 60)
        return Finding(
            Level.WARN,
            "jobs",
            f"{count} wait, the oldest for {minutes} minutes",
            "is a worker running? Start another: `xiezhi work`",
        )
    return Finding(Level.OK, "jobs", f"{count} wait")


def administrators(at: datetime) -> Finding:
    """Somebody can let people in."""
    today = at.astimezone(zoneinfo.ZoneInfo(settings.TIME_ZONE)).date()
    count = (
        Membership.objects.valid_on(today)
        .filter(role="administrator", user__is_active=True)
        .values("user")
        .distinct()
        .count()
    )
    if not count:
        return Finding(Level.FAIL, "people", "no administrator", "on an empty installation run `xiezhi found`")
    if count == 1:
        return Finding(Level.WARN, "people", "one administrator", "appoint a second, so that nobody is locked out")
    return Finding(Level.OK, "people", f"{count} administrators")


def processes(at: datetime) -> Iterator[Finding]:
    """Ticker and worker have given a sign of life."""
    for name, seen_at in signs_of_life().items():
        mend = f"start `xiezhi serve` (or `xiezhi {'tick' if name == 'ticker' else 'work'}`); without it nothing goes on behind the pages"
        if seen_at is None:
            yield Finding(Level.WARN, name, "has never run here", mend)
        elif seen_at < at - SILENT_AFTER:
            yield Finding(Level.WARN, name, f"silent since {seen_at:%Y-%m-%d %H:%M} UTC", mend)
        else:
            yield Finding(Level.OK, name, "runs")
