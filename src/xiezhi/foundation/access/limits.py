"""How often a visitor without an account may do something: counted by allauth over the cache that all processes share."""

from allauth.core.internal import ratelimit
from django.conf import settings
from django.http import HttpRequest


def within(request: HttpRequest, action: str, *, key: str = "") -> bool:
    """Count one more `action` of this visitor (and of `key`, a person or a key of an interface); False when it is one too many.

    The rates stand in `settings.PUBLIC_RATES`, as allauth writes them: `60/h/ip,20/d/key`. An action without a rate raises KeyError.
    """
    rates = {action: settings.PUBLIC_RATES[action]}
    used = ratelimit.consume(request, app="xiezhi", action=action, config=rates, key=key or "-", limit_get=True)
    return used is not None


def network_of(request: HttpRequest) -> str:
    """The visitor's address as the limits count it: behind `ALLAUTH_TRUSTED_PROXY_COUNT` servers of our own, and of IPv6 the network."""
    return str(ratelimit.get_ip(request))
