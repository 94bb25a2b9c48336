from django.urls import path

from xiezhi.foundation.audit import views

app_name = "audit"
urlpatterns = [
    path("", views.entries, name="list"),
    path("heads/", views.heads, name="heads"),
    path("heads/file/", views.heads_file, name="heads_file"),
    path("heads/key/", views.public_key, name="public_key"),
    path("chain/file/", views.chain, name="chain"),
    path("of/<str:kind>/<str:object_id>/", views.history, name="history"),
]
