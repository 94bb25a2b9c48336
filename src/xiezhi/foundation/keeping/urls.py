"""The middleware answers these before any other; they stand here too, so that they have names and a place in the access matrix."""

from django.urls import path

from xiezhi.foundation.keeping import views

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.figures, name="metrics"),
]
