"""Only the account pages that are in use; allauth's others are not routed."""

from allauth.account import views
from django.urls import path
from django.views.decorators.http import require_http_methods

# Else PUT would be taken for POST.
read_or_send = require_http_methods(["GET", "HEAD", "POST"])

urlpatterns = [
    path("login/", read_or_send(views.login), name="account_login"),
    path("logout/", read_or_send(views.logout), name="account_logout"),
    path("password/change/", read_or_send(views.password_change), name="account_change_password"),
]
