"""Only the account pages that are in use; allauth's others are not routed."""

from allauth.account import views
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as keys
from django.urls import path
from django.views.decorators.http import require_GET
from django.views.generic import RedirectView

from xiezhi.foundation.accounts import views as ours
from xiezhi.foundation.accounts.views import read_or_send

urlpatterns = [
    path("login/", read_or_send(views.login), name="account_login"),
    path("logout/", read_or_send(views.logout), name="account_logout"),
    path("password/change/", read_or_send(views.password_change), name="account_change_password"),
    path("again/", read_or_send(views.reauthenticate), name="account_reauthenticate"),
    path("code/", ours.request_code, name="account_request_login_code"),
    path("code/confirm/", ours.confirm_code, name="account_confirm_login_code"),
    path("sessions/", ours.sessions, name="usersessions_list"),
    path("sessions/end/", ours.end_sessions, name="account_end_sessions"),
    path("sessions/<int:pk>/end/", ours.end_sessions, name="account_end_session"),
    path("directory/refused/", ours.directory_refused, name="socialaccount_login_cancelled"),
    path("directory/<slug:provider_id>/login/", ours.directory_login, name="openid_connect_login"),
    path("directory/<slug:provider_id>/callback/", ours.directory_callback, name="openid_connect_callback"),
    # Second factors.
    path("security/", require_GET(factors.index), name="mfa_index"),
    path("security/code/", read_or_send(factors.authenticate), name="mfa_authenticate"),
    path("security/again/", read_or_send(factors.reauthenticate), name="mfa_reauthenticate"),
    path("security/app/", read_or_send(totp.activate_totp), name="mfa_activate_totp"),
    path("security/app/remove/", read_or_send(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("security/recovery/", require_GET(recovery.view_recovery_codes), name="mfa_view_recovery_codes"),
    path("security/recovery/new/", read_or_send(recovery.generate_recovery_codes), name="mfa_generate_recovery_codes"),
    path("security/recovery/download/", require_GET(recovery.download_recovery_codes), name="mfa_download_recovery_codes"),
    path("security/keys/", RedirectView.as_view(pattern_name="mfa_index", http_method_names=["get", "head"]), name="mfa_list_webauthn"),
    path("security/keys/new/", read_or_send(keys.add_webauthn), name="mfa_add_webauthn"),
    path("security/keys/login/", read_or_send(keys.login_webauthn), name="mfa_login_webauthn"),
    path("security/keys/again/", read_or_send(keys.reauthenticate_webauthn), name="mfa_reauthenticate_webauthn"),
    path("security/keys/<int:pk>/", read_or_send(keys.edit_webauthn), name="mfa_edit_webauthn"),
    path("security/keys/<int:pk>/remove/", read_or_send(keys.remove_webauthn), name="mfa_remove_webauthn"),
]  # fmt: skip
