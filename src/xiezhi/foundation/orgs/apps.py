from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrgsConfig(AppConfig):
    name = "xiezhi.foundation.orgs"
    label = "orgs"
    verbose_name = _("机构与力量")

    def ready(self) -> None:
        from xiezhi.foundation.imports.specs import register
        from xiezhi.foundation.orgs.imports import OfficerImport, TeamPatternImport
        from xiezhi.foundation.orgs.organisation_import import OrganisationImport
        from xiezhi.foundation.orgs.permissions import OrgsPermission as May
        from xiezhi.foundation.ui import navigation

        register(OrganisationImport)
        register(OfficerImport)
        register(TeamPatternImport)
        navigation.register(
            navigation.Item(_("检查力量"), "orgs:capacity", "users-group", May.VIEW_CAPACITY, "records", 60),
            navigation.Item(_("执法人员"), "orgs:officers", "user-check", May.MANAGE_OFFICERS, "records", 70),
            navigation.Item(_("机构"), "orgs:list", "building", May.MANAGE_ORGANISATIONS, "settings", 10),
        )
