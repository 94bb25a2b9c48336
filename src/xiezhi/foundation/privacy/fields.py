from typing import Any

from django.core.exceptions import FieldError
from django.db import models

from xiezhi.foundation.privacy.sealing import seal, unseal


class EncryptedTextField(models.TextField):
    """Text that lies sealed in the database and is read as it was. Nothing is sealed of an empty text, so that blank stays blank.

    It cannot be compared, ordered by or searched: keep a digest beside it (`sealing.digest`) and look for that. A length is for the
    service to check; what is stored is longer.
    """

    description = "text, sealed"

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if value is None or hasattr(value, "as_sql"):
            return value
        return seal(str(value)) if value else ""

    def from_db_value(self, value: str | None, *_about: Any) -> str | None:
        """As it was. Raises Unreadable without its key."""
        return unseal(value) if value else value

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise FieldError(f"{self.name} is sealed and cannot be looked up: look for its digest")
        return super().get_lookup(lookup_name)
