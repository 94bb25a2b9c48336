from typing import Any

from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    """What every shell template needs."""
    return {"actor": getattr(request, "actor", None), "membership": getattr(request, "membership", None)}
