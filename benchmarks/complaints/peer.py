"""The peer's one address: the list and form of cases in Django's administration, with the columns, filters and search of our list."""

import django

django.setup()

from django.contrib import admin  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpRequest  # noqa: E402
from django.urls import path  # noqa: E402

from xiezhi.domains.complaints.models import Case  # noqa: E402


class Site(admin.AdminSite):
    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_authenticated


class CaseAdmin(admin.ModelAdmin):
    list_display = ("number", "title", "kind", "respondent_name", "unit", "received_at", "next_due_at", "status")
    list_filter = ("status", "kind", "channel", "tier", "category", "street")
    list_select_related = ("unit", "subject")
    list_per_page = 30
    search_fields = ("number", "title", "respondent_name", "place")
    ordering = ("next_due_at", "-id")

    def has_view_permission(self, request: HttpRequest, obj: Case | None = None) -> bool:
        return True

    def has_delete_permission(self, request: HttpRequest, obj: Case | None = None) -> bool:
        return False

    has_module_permission = has_view_permission
    has_add_permission = has_change_permission = has_delete_permission


site = Site()
site.register(Case, CaseAdmin)
urlpatterns = [path("admin/", site.urls)]
application = get_wsgi_application()
