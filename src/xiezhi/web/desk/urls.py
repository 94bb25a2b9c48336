from django.urls import include, path

from xiezhi.web.desk import views

# Each room brings its own names (`jobs:list`); only the pages of this shell are under `desk:`.
rooms = [
    path("tasks/", include("xiezhi.foundation.jobs.urls")),
    path("notices/", include("xiezhi.foundation.notices.urls")),
    path("people/", include("xiezhi.foundation.access.urls")),
    path("history/", include("xiezhi.foundation.audit.urls")),
    path("rules/", include("xiezhi.foundation.rules.urls")),
    path("privacy/", include("xiezhi.foundation.privacy.urls")),
    path("calendar/", include("xiezhi.foundation.calendar.urls")),
    path("organisations/", include("xiezhi.foundation.orgs.urls")),
    path("views/", include("xiezhi.foundation.ui.urls")),
    path("registry/", include("xiezhi.domains.registry.urls")),
    path("inspections/", include("xiezhi.domains.inspections.urls")),
    path("prepaid/", include("xiezhi.domains.prepaid.urls")),
    path("complaints/", include("xiezhi.domains.complaints.urls")),
]
desk = [
    path("", views.home, name="home"),
    path("search/", views.search, name="search"),
    path("ui/", views.ui, name="ui"),
    path("ui/<int:pk>/<slug:move>/", views.ui_move, name="ui_move"),
]
urlpatterns = [path("", include((desk, "desk"))), *rooms]
