from django.urls import include, path
from django.views.decorators.http import require_POST
from django.views.generic import RedirectView
from django.views.i18n import set_language

from xiezhi.domains.prepaid.api import api as prepaid

handler500 = "xiezhi.foundation.keeping.views.broken"
urlpatterns = [
    path("", include("xiezhi.foundation.keeping.urls")),
    path("", RedirectView.as_view(pattern_name="desk:home", http_method_names=["get", "head"]), name="root"),
    path("language/", require_POST(set_language), name="set_language"),
    path("accounts/", include("xiezhi.foundation.accounts.urls")),
    path("desk/files/", include("xiezhi.foundation.files.urls")),
    path("desk/imports/", include("xiezhi.foundation.imports.urls")),
    path("api/prepaid/v1/", prepaid.urls),
    path("appeals/", include("xiezhi.domains.complaints.urls_public")),
    path("open311/v2/", include("xiezhi.domains.complaints.urls_open311")),
    path("desk/", include("xiezhi.web.desk.urls")),
    path("", include("xiezhi.web.public.urls")),
]
