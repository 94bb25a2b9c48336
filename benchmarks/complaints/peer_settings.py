"""Django's own administration over our tables: what a list costs that is not ours. Everybody may look."""

from xiezhi.config.settings import *  # noqa: F403
from xiezhi.config.settings import INSTALLED_APPS, TEMPLATES

INSTALLED_APPS = [*INSTALLED_APPS, "django.contrib.admin"]
ROOT_URLCONF = "benchmarks.complaints.peer"
TEMPLATES = [*TEMPLATES]
SILENCED_SYSTEM_CHECKS = ["admin.E404", "admin.E408", "admin.E409"]
