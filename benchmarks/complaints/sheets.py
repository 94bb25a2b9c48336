"""Rows of a model, poured into its table by COPY: columns by name, the model's own defaults for the rest."""

from __future__ import annotations

from typing import Any

import psycopg
from django.db import models
from django.db.models import NOT_PROVIDED
from psycopg import sql


class Sheet:
    """The rows of one table that wait to be poured. Keys are counted from `first`."""

    def __init__(self, model: type[models.Model], first: int = 1) -> None:
        self.table = model._meta.db_table
        fields = model._meta.concrete_fields
        self.columns = [str(each.column) for each in fields]
        self.places = {name: place for place, name in enumerate(self.columns)}
        self.usual = [self._usual(each) for each in fields]
        self.key = self.places[str(model._meta.pk.column)] if model._meta.pk else 0
        self.next = first
        self.rows: list[list[Any]] = []

    @staticmethod
    def _usual(field: models.Field[Any, Any]) -> Any:
        if field.default is not NOT_PROVIDED and not callable(field.default):
            return field.default
        return "" if not field.null and isinstance(field, models.CharField | models.TextField) else None

    def add(self, **given: Any) -> int:
        """One row; its key."""
        row = self.usual.copy()
        row[self.key] = key = self.next
        self.next += 1
        places = self.places
        for name, value in given.items():
            row[places[name]] = value
        self.rows.append(row)
        return key

    def pour(self, connection: psycopg.Connection[Any]) -> None:
        """Copy what waits into the table."""
        names = sql.SQL(", ").join(map(sql.Identifier, self.columns))
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(self.table), names)
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in self.rows:
                copy.write_row(row)
        self.rows.clear()

    def close(self, connection: psycopg.Connection[Any]) -> None:
        """The table's own keys go on after ours."""
        connection.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [self.table, max(self.next, 2) - 1])


class WithoutIndexes:
    """`with WithoutIndexes(connection, tables):` - indexes that no constraint needs are made again at the end; foreign keys are not looked up."""

    def __init__(self, connection: psycopg.Connection[Any], tables: list[str]) -> None:
        self.connection, self.tables = connection, tables

    def __enter__(self) -> None:
        free = """
            SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE i.indrelid = ANY (%s::regclass[]) AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
        """
        self.made = self.connection.execute(free, [self.tables]).fetchall()
        for name, _definition in self.made:
            self.connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
        self.connection.execute("SET session_replication_role = replica")
        self.connection.execute("SET maintenance_work_mem = '512MB'")

    def __exit__(self, *_error: object) -> None:
        self.connection.execute("SET session_replication_role = origin")
        for _name, definition in self.made:
            self.connection.execute(definition)
