"""The sheets that this room takes in: the catalogue of items and a department's plan."""

from xiezhi.domains.inspections.imports.items import ItemImport
from xiezhi.domains.inspections.imports.plan import PlanImport

__all__ = ["ItemImport", "PlanImport"]
