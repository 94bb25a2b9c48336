from django.http import HttpResponse
from django.shortcuts import render

from xiezhi.foundation.access.guards import SIGNED_IN, needs
from xiezhi.foundation.access.middleware import DeskRequest


@needs(SIGNED_IN)
def home(request: DeskRequest) -> HttpResponse:
    """The start page (工作台): what needs this person's attention."""
    return render(request, "desk/home.html")
