"""One settings module; what differs between a laptop and a district is said in the environment.

XIEZHI_DATA (folder for database, files, secret), DATABASE_URL, XIEZHI_HOSTS, XIEZHI_SECRET_KEY, XIEZHI_DEBUG, XIEZHI_HTTPS.
"""

import os
from pathlib import Path
from urllib.parse import quote

import dj_database_url
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from xiezhi.config import environment
from xiezhi.foundation.keeping import logs

PACKAGE = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("XIEZHI_DATA", "var")).resolve()

DEBUG = environment.flag("XIEZHI_DEBUG", False)
HTTPS = environment.flag("XIEZHI_HTTPS", False)
SECRET_KEY = environment.secret("XIEZHI_SECRET_KEY", DATA / "secret_key")
ALLOWED_HOSTS = environment.words("XIEZHI_HOSTS", ["127.0.0.1", "localhost", "[::1]"])

ROOT_URLCONF = "xiezhi.config.urls"
WSGI_APPLICATION = "xiezhi.config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

FOUNDATION = [
    f"xiezhi.foundation.{room}"
    for room in (
        "accounts",
        "orgs",
        "access",
        "audit",
        "events",
        "workflow",
        "jobs",
        "calendar",
        "files",
        "imports",
        "notices",
        "rules",
        "privacy",
        "keeping",
        "ui",
    )
]
DOMAINS = [f"xiezhi.domains.{room}" for room in ("registry", "inspections", "prepaid", "complaints")]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "django_filters",
    "django_tables2",
    "django_tasks",
    "django_tasks_db",
    *FOUNDATION,  # before allauth: our account pages come first
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    *DOMAINS,
    "xiezhi.web.desk",
    "xiezhi.demo",
]

MIDDLEWARE = [
    "xiezhi.foundation.keeping.middleware.KeepingMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "xiezhi.foundation.access.middleware.ActorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "xiezhi.foundation.ui.middleware.RefusalMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "xiezhi.foundation.ui.context.shell",
            ],
        },
    }
]
FORM_RENDERER = "xiezhi.foundation.ui.forms.Renderer"

DATABASES = {
    "default": dj_database_url.config(default=f"sqlite:///{quote(str(DATA / 'xiezhi.sqlite3'))}", conn_max_age=600)
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATA.mkdir(parents=True, exist_ok=True)
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-32000;",
    }

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "desk:home"
ACCOUNT_LOGIN_METHODS = {"username", "phone"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "xiezhi.foundation.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "xiezhi.foundation.accounts.forms.LoginForm",
    "reauthenticate": "xiezhi.foundation.accounts.forms.ReauthenticateForm",
    "request_login_code": "xiezhi.foundation.accounts.forms.RequestCodeForm",
    "confirm_login_code": "xiezhi.foundation.accounts.forms.ConfirmCodeForm",
}
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 300
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 3
ACCOUNT_PHONE_VERIFICATION_CODE_FORMAT = {"numeric": True, "length": 6, "dashed": False}
# Five wrong passwords or codes in fifteen minutes lock one account; a whole office may sit behind one address. Codes cost money: few a day.
ACCOUNT_RATE_LIMITS = {
    "login": "120/m/ip",
    "login_failed": "60/m/ip,5/15m/key",
    "request_login_code": "20/m/ip,1/m/key,10/d/key",
}
# Counted where every process looks: two web processes must not allow twice as much, nor take a used code again.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "accounts_passing",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
ALLAUTH_TRUSTED_PROXY_COUNT = int(os.environ.get("XIEZHI_PROXIES", "0"))

# Who must have a second factor: `administrators` (roles that say so), `everybody`, `nobody`.
SECOND_FACTOR = environment.choice("XIEZHI_SECOND_FACTOR", ("administrators", "everybody", "nobody"))
MFA_ADAPTER = "xiezhi.foundation.accounts.adapter.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_TOLERANCE = 1
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS  # browsers themselves allow no other insecure place than localhost
MFA_FORMS = {
    "authenticate": "xiezhi.foundation.accounts.forms.AuthenticateForm",
    "reauthenticate": "xiezhi.foundation.accounts.forms.ReauthenticateByCodeForm",
    "activate_totp": "xiezhi.foundation.accounts.forms.ActivateTOTPForm",
    "add_webauthn": "xiezhi.foundation.accounts.forms.AddKeyForm",
    "edit_webauthn": "xiezhi.foundation.accounts.forms.EditKeyForm",
}

# The district's own directory (统一身份认证, OpenID Connect): on where XIEZHI_OIDC_ISSUER is said.
OIDC_ISSUER = os.environ.get("XIEZHI_OIDC_ISSUER", "").rstrip("/")
OIDC_ACCOUNT_CLAIM = os.environ.get("XIEZHI_OIDC_ACCOUNT_CLAIM", "preferred_username")
OIDC_OPENS_ACCOUNTS = environment.flag("XIEZHI_OIDC_OPENS_ACCOUNTS", False)
SOCIALACCOUNT_ADAPTER = "xiezhi.foundation.accounts.adapter.DirectoryAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_PROVIDERS = {"openid_connect": environment.directory(OIDC_ISSUER)}

# How often visitors may use what needs no account (working defaults; a whole office may sit behind one address).
PUBLIC_RATES = {
    "complaints.draft": "240/h/ip",
    "complaints.send": "120/h/ip,20/d/key",
    "complaints.add": "60/h/ip,30/d/key",
    "complaints.look_up": "60/15m/ip,10/15m/key",
    "complaints.open311": "120/m/key",
    "complaints.open311_refused": "60/m/ip",
}
# The desk's public ways in: how the district calls itself to Open311 clients, and the mail box that is asked for letters.
OPEN311_JURISDICTION = os.environ.get("XIEZHI_OPEN311_JURISDICTION", "").strip()
COMPLAINTS_INBOX = environment.mail_box("XIEZHI_COMPLAINTS_IMAP")
SITE_URL = os.environ.get("XIEZHI_SITE_URL", "").strip().rstrip("/")

PHONE_SIGNUP = environment.flag("XIEZHI_PHONE_SIGNUP", False)
PUBLIC_HOME = "my_cards"
"""Where people without any post go after signing in."""
SESSION_COOKIE_AGE = int(os.environ.get("XIEZHI_SESSION_HOURS", "12")) * 3600
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [PACKAGE / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_I18N = USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = DATA / "static"
MEDIA_ROOT = DATA / "files"
# `xiezhi serve` collects the files under hashed names first and then says so here.
COLLECTED = environment.flag("XIEZHI_COLLECTED", False)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not COLLECTED
FILE_UPLOAD_HANDLERS = ["xiezhi.foundation.files.uploads.LimitedUploadHandler"]
UPLOAD_LIMIT_MB = int(os.environ.get("XIEZHI_UPLOAD_LIMIT_MB", "20"))
# Who looks at uploads before they are kept: unix:SOCKET or tcp:HOST:PORT of clamd, command:PROGRAM, or nobody.
VIRUS_SCAN = os.environ.get("XIEZHI_VIRUS_SCAN", "").strip()
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

# Where notices can go beside the inbox: apprise addresses, secret, `{to}` where the receiver stands.
NOTICE_CHANNELS = {
    "wecom": os.environ.get("XIEZHI_NOTICE_WECOM", ""),
    "dingtalk": os.environ.get("XIEZHI_NOTICE_DINGTALK", ""),
    "feishu": os.environ.get("XIEZHI_NOTICE_FEISHU", ""),
    "mail": os.environ.get("XIEZHI_NOTICE_MAIL", ""),
    "sms": os.environ.get("XIEZHI_NOTICE_SMS", ""),
}

# Keys of personal data, `index:KEY,NAME:KEY,…` newest first; without it they are a file of the data folder.
PERSONAL_KEYS = os.environ.get("XIEZHI_PERSONAL_KEYS", "").strip()

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

XIEZHI_ROLES = "xiezhi.config.roles"
# The hash of new seals in the audit chain: sha256, or sm3 where national algorithms are asked for.
CHAIN_HASH = os.environ.get("XIEZHI_CHAIN_HASH", "sha256").strip().lower()

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        # Signing in through the directory begins with a form of ours that is led on there.
        "form-action": [SELF, *([environment.origin(OIDC_ISSUER)] if OIDC_ISSUER else [])],
    }
}
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
# W005, W021: subdomains and browsers' preload lists are for whoever owns the domain to promise.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

DJANGO_TABLES2_TEMPLATE = "ui/table.html"

PRODUCT_NAME = _("协治")
LOGGING = logs.configuration(
    form=environment.choice("XIEZHI_LOG_FORMAT", ("line", "json")), level=os.environ.get("XIEZHI_LOG_LEVEL", "INFO")
)
LOG_REQUESTS = environment.flag("XIEZHI_LOG_REQUESTS", False)
METRICS_TOKEN = os.environ.get("XIEZHI_METRICS_TOKEN", "")
