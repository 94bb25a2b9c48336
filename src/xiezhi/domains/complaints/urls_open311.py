"""Open311 GeoReport v2. The end of an address says the format."""

from django.urls import path, register_converter

from xiezhi.domains.complaints.views.open311 import pages
from xiezhi.domains.complaints.views.open311.answers import FormatConverter

register_converter(FormatConverter, "georeport")
app_name = "open311"
urlpatterns = [
    path("discovery<georeport:fmt>", pages.discovery, name="discovery"),
    path("services<georeport:fmt>", pages.services, name="services"),
    path("services/<slug:code><georeport:fmt>", pages.service, name="service"),
    path("requests<georeport:fmt>", pages.requests, name="requests"),
    path("requests/<slug:number><georeport:fmt>", pages.request_of, name="request"),
    path("tokens/<slug:token><georeport:fmt>", pages.token, name="token"),
]
