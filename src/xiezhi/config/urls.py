from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="desk:home"), name="root"),
    path("accounts/", include("xiezhi.foundation.accounts.urls")),
    path("desk/", include("xiezhi.web.desk.urls")),
]
