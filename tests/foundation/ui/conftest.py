from types import SimpleNamespace
from typing import Any

import pytest
from django.http import QueryDict
from django.test import RequestFactory
from django_htmx.middleware import HtmxDetails

from xiezhi.foundation.access.actors import Actor


@pytest.fixture
def request_for() -> Any:
    """`request_for("/desk/?q=1", permissions={…}, htmx="results")`: a request as our views receive it, without a database."""

    def make(path: str = "/desk/tasks/", *, permissions: frozenset[str] = frozenset(), htmx: str = "") -> Any:
        headers = {"HX-Request": "true", "HX-Target": htmx} if htmx else {}
        request = RequestFactory(headers=headers).get(path)
        request.actor = Actor(role="tester", permissions=frozenset(permissions), user_id=1, district_wide=True)
        request.membership, request.memberships = None, []
        request.user = SimpleNamespace(pk=1, is_authenticated=True, display_name="测试员")
        request.htmx = HtmxDetails(request)
        request._messages = []
        assert isinstance(request.GET, QueryDict)
        return request

    return make
