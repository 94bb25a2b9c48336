"""Log lines that a machine can read (XIEZHI_LOG_FORMAT=json), that name their request, and that name no person.

Masking is done on the finished line, whoever wrote it: a library's message or a database's error detail may quote what a form contained.
"""

import logging
import re
from contextvars import ContextVar
from typing import Any

from pythonjsonlogger.json import JsonFormatter

request_id: ContextVar[str] = ContextVar("request_id", default="-")

MASKS = [
    (re.compile(r"(?<!\d)(1[3-9])\d{9}(?!\d)"), r"\1*********"),  # telephone
    (re.compile(r"(?<![0-9A-Za-z])\d{17}[\dXx](?![0-9A-Za-z])"), "******************"),  # identity card
    (re.compile(r"://[^\s/@'\"]+@"), "://***@"),  # account and password in an address
    (re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+"), "***@***"),
    (re.compile(r"(?<=[\w/])\?[^\s'\"<>]+=[^\s'\"<>]*"), "?***"),  # what somebody searched for
    (re.compile(r"(?<=/)(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{24,}(?=[/\s'\"]|$)"), "***"),  # the secret of a link
]


def mask(text: str) -> str:
    """`text` without telephone and identity numbers, mail addresses, passwords, queries and secrets of addresses."""
    for pattern, instead in MASKS:
        text = pattern.sub(instead, text)
    return text


class RequestId(logging.Filter):
    """Gives each record the number of the request that it was written for; `-` outside a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


class Line(logging.Formatter):
    """One line for people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))


class Json(JsonFormatter):
    """One JSON object a line: time, level, logger, message, request_id, what the call gave as `extra`, and exc_info."""

    def __init__(self) -> None:
        super().__init__(
            "%(asctime)s %(levelname)s %(name)s %(request_id)s %(message)s",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
            json_ensure_ascii=False,
            datefmt="%Y-%m-%dT%H:%M:%S%z",
        )

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        super().add_fields(log_data, record, message_dict)
        for name in ("request", "taskName", "color_message"):  # objects of the framework, which hold addresses
            log_data.pop(name, None)

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))


def configuration(*, form: str, level: str) -> dict[str, Any]:
    """Django's LOGGING: everything to standard error in one form, `line` or `json`."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_id": {"()": "xiezhi.foundation.keeping.logs.RequestId"}},
        "formatters": {
            "line": {"()": "xiezhi.foundation.keeping.logs.Line"},
            "json": {"()": "xiezhi.foundation.keeping.logs.Json"},
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": form, "filters": ["request_id"]}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {"django.request": {"level": "ERROR"}},
    }
