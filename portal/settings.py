"""Every setting of the portal, read once from the environment; a bad value stops the start."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import environ
from celery.schedules import crontab
from django.utils.translation import gettext_lazy as _

from portal import embedded
from portal.circuit import CACHE_SECONDS, OneTry
from portal.variables import Refused, env

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("DATA_DIR", str(BASE_DIR / ".data"))).resolve()

# production: a real installation. demo: `make run`. test: the test suite. No default: neither an installation nor a
# demo begins by an oversight.
MODE = env.choice("ORTAK_MODE", ("production", "demo", "test"))

DEMO_SECRET_KEY = "ortak-demo-secret-key-never-use-it-in-production"  # noqa: S105  refused in production below
SECRET_KEY = env.text("SECRET_KEY", "" if MODE == "production" else DEMO_SECRET_KEY)
DEBUG = env.flag("DEBUG", False)

if MODE == "production":
    if not SECRET_KEY or SECRET_KEY == DEMO_SECRET_KEY or len(SECRET_KEY) < 32:
        raise Refused("Production needs SECRET_KEY: at least 32 characters, and not the demo key.")
    if DEBUG:
        raise Refused("Production never runs with DEBUG on.")

ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", [] if MODE == "production" else ["*"])
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS")
BASE_URL = env.address(
    "BASE_URL",
    like="https://portal.example.com",
    schemes=("http", "https"),
    part="netloc",
    default="http://127.0.0.1:8000",
).rstrip("/")

# The vendor's name for a new installation; afterwards the vendor company's own name counts.
VENDOR_NAME = env.text("VENDOR_NAME", "Microsoft")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "django_htmx",
    "template_partials",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "oauth2_provider",
    "portal.accounts",
    "portal.money",
    "portal.policy",
    "portal.events",
    "portal.workflow",
    "portal.catalog",
    "portal.customers",
    "portal.programme",
    "portal.notify",
    "portal.api",
    "portal.ui",
    "portal.webhooks",
    "portal.people",
    "portal.desk",
    "referrals",
    "dealreg",
    "exceptions_council",
    "isvconnect",
    "licensing",
    "portal.pages",
    "portal.demo",
]

MIDDLEWARE = [
    "portal.health.ProbeMiddleware",
    "portal.api.http.middleware.ApiMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.accounts.middleware.NoStoreMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "portal.accounts.middleware.LanguageMiddleware",
    "portal.bodies.BodyLimitMiddleware",
    "portal.accounts.middleware.PlainTextMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.accounts.middleware.ActorMiddleware",
    "portal.once.OnceMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.ui.frame.frame",
            ],
            "builtins": [
                "portal.ui.templatetags.ortak",
                "portal.ui.templatetags.components",
                "portal.notify.tags",
                "referrals.web.tags",
                "dealreg.web.tags",
                "exceptions_council.web.tags",
                "isvconnect.web.tags",
                "django.templatetags.i18n",
                "django.templatetags.static",
            ],
        },
    }
]

# Without DATABASE_URL / REDIS_URL the project's own servers under DATA_DIR are used (portal/embedded.py).
_servers = embedded.urls(DATA_DIR)
REDIS_URL = env.address(
    "REDIS_URL",
    like="redis://host:6379/0 or unix:///path/redis.sock?db=0",
    schemes=("redis", "rediss", "unix"),
    default=_servers.redis,
)


def _database_url(name: str, default: str) -> str:
    like = "postgresql://user:password@host:5432/name"
    return env.address(name, like=like, schemes=("postgresql", "postgres"), part="path", default=default)


def _connect_to(url: str, options: str = "") -> dict[str, Any]:
    given: dict[str, Any] = environ.Env.db_url_config(url)
    return {**given, "OPTIONS": {**given.get("OPTIONS", {}), "options": f"-c timezone=UTC{options}"}}


DATABASE_URL = _database_url("DATABASE_URL", _servers.database)
# What `migrate` connects as (portal/database.py); of the project's own server we know it, else one may be given.
DATABASE_OWNER_URL = _database_url("DATABASE_OWNER_URL", "") if env.text("DATABASE_URL") else _servers.owner
# For the web processes, whose threads nobody else ends; a worker's sweep may take its time.
_statement_limit = f" -c statement_timeout={env.number('STATEMENT_SECONDS', 0)}s"
DATABASES = {"default": _connect_to(DATABASE_URL, _statement_limit)}
DATABASE_ROLE: str = DATABASES["default"].get("USER") or ""
DATABASE_OWNER = _connect_to(DATABASE_OWNER_URL) if DATABASE_OWNER_URL else {}
if DATABASE_OWNER and not (DATABASE_ROLE and DATABASE_OWNER.get("USER")):
    raise Refused("DATABASE_URL and DATABASE_OWNER_URL must both name their role.")
if DATABASE_OWNER and DATABASE_OWNER["NAME"] != DATABASES["default"]["NAME"]:
    raise Refused("DATABASE_URL and DATABASE_OWNER_URL must name the same database.")
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Redis away or frozen: portal/outage.py.
CACHES = {
    "default": {
        "BACKEND": "portal.outage.Cache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {
            "IGNORE_EXCEPTIONS": True,
            "SOCKET_CONNECT_TIMEOUT": CACHE_SECONDS,
            "SOCKET_TIMEOUT": CACHE_SECONDS,
            "CONNECTION_POOL_KWARGS": {"retry": OneTry()},
        },
    }
}
# Not in the cache: nobody is signed out when Redis goes.
SESSION_ENGINE = "django.contrib.sessions.backends.db"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
if MODE == "test":  # a test signs in hundreds of times; what it tests is never the hash
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGIN_REDIRECT_URL = "home"
LOGIN_URL = "account_login"
ACCOUNT_ADAPTER = "portal.accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PRESERVE_USERNAME_CASING = False
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_FORMS = {"reset_password": "portal.accounts.forms.ResetPasswordForm"}
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
# Five wrong passwords lock one account from one network address (portal/accounts/adapter.py), a hundred that address.
# A new password is asked for without a limit here: the mails are limited for each account (portal/accounts/sweeps.py).
SIGN_IN_LIMITS = {"login_failed": "100/h/ip,5/5m/key", "reset_password": ""}
# A demo is clicked through by scripts as well as people; a real installation keeps these and allauth's own limits.
ACCOUNT_RATE_LIMITS: dict[str, str] | bool = SIGN_IN_LIMITS if MODE == "production" else False

# The API (docs/api.md). Tokens are kept as hashes; one lives an hour.
OAUTH2_PROVIDER_APPLICATION_MODEL = "api.ApiClient"
OAUTH2_PROVIDER = {
    "SCOPES_BACKEND_CLASS": "portal.api.http.scopes.Scopes",
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    "REFRESH_TOKEN_EXPIRE_SECONDS": 30 * 86400,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "OAUTH2_VALIDATOR_CLASS": "portal.api.http.oauth.Validator",
    "PKCE_REQUIRED": True,
    "OIDC_ISS_ENDPOINT": BASE_URL,
    **{
        f"COMPLIANT_BCP_RFC9700_{name}": True
        for name in (
            "IMPLICIT_GRANT",
            "PASSWORD_GRANT",
            "PKCE_METHOD",
            "ACCESS_TOKEN_TRANSPORT",
            "AUTHZ_RESPONSE_ISS",
            "TOKEN_STORAGE",
            "REFRESH_TOKEN",
            "REDIRECT_URI_MATCHING",
            "PKCE_REQUIRED",
        )
    },
}
# Of each client; 0 for no limit.
API_REQUESTS_PER_MINUTE = env.number("API_REQUESTS_PER_MINUTE", 1200)
API_TOKENS_PER_MINUTE = env.number("API_TOKENS_PER_MINUTE", 60)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["portal.api.http.authentication.Bearer"],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["portal.api.http.json.Renderer"],
    "DEFAULT_PARSER_CLASSES": ["portal.api.http.json.Parser"],
    "DEFAULT_SCHEMA_CLASS": "portal.api.http.schema.Schema",
    "EXCEPTION_HANDLER": "portal.api.http.errors.handle",
    "DEFAULT_METADATA_CLASS": None,
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Ortak",
    "DESCRIPTION": "Deals with partners: referrals, registrations, and what happens to them.",
    "VERSION": "1.0",
    "OAS_VERSION": "3.1.0",
    "PREPROCESSING_HOOKS": ["portal.api.http.schema.documented"],
    "SCHEMA_PATH_PREFIX": r"/v1\.0",
    "SCHEMA_COERCE_PATH_PK": False,
    # All are called `status` or `kind`.
    "ENUM_NAME_OVERRIDES": {
        "RegistrationStatus": "dealreg.api.schema.STATUSES",
        "ExceptionStatus": "exceptions_council.api.schema.STATUS_TOKENS",
        "ExceptionKind": "exceptions_council.api.schema.KIND_TOKENS",
        "IsvDealStatus": "isvconnect.api.schema.STATUS_TOKENS",
        "InvoiceKind": "isvconnect.api.schema.KIND_TOKENS",
        "InvitationStatus": "licensing.api.schema.INVITATION_TOKENS",
        "RelationshipStatus": "licensing.api.schema.RELATIONSHIP_TOKENS",
    },
}

# With it a monitor may ask /status; without one, only programme managers.
STATUS_TOKEN = env.text("STATUS_TOKEN")

# Whether `import_rates --fetch` may ask the European Central Bank for its file (FX-1).
ECB_FETCH = env.flag("ECB_FETCH", False)

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("tr", _("Turkish"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("bootstrap", BASE_DIR / "node_modules/bootstrap/dist"),
    ("bootstrap-icons", BASE_DIR / "node_modules/bootstrap-icons"),
    ("chart.js", BASE_DIR / "node_modules/chart.js/dist"),
    ("inter", BASE_DIR / "node_modules/@fontsource-variable/inter/files"),
    # Not for pages: letters as PDF are set in it (decision 0036).
    ("dejavu", BASE_DIR / "node_modules/dejavu-fonts-ttf/ttf"),
]
STATICFILES_FINDERS = [
    "portal.static_files.UsedFilesFinder",
    "portal.static_files.UsedAppFilesFinder",
]
# Proof documents (REG-16): files under DATA_DIR, or objects in a bucket that nobody else reads. Its keys, if it needs
# any, are the AWS_... variables that boto3 reads by itself.
_bucket = env.text("DOCUMENTS_BUCKET")
_documents: dict[str, Any] = {
    "BACKEND": "django.core.files.storage.FileSystemStorage",
    "OPTIONS": {
        "location": DATA_DIR / "documents",
        "file_permissions_mode": 0o600,
        "directory_permissions_mode": 0o700,
    },
}
if _bucket:
    _endpoint = env.address(
        "DOCUMENTS_ENDPOINT", like="https://s3.example.com", schemes=("http", "https"), part="netloc"
    )
    _documents = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {"bucket_name": _bucket, "endpoint_url": _endpoint or None, "location": "documents"},
    }
# host:port of a clamd that looks for viruses in documents; without it nobody does, and the pages say so.
CLAMAV = env.place("CLAMAV_URL", like="clamav:3310")
STORAGES = {
    "documents": _documents,
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if MODE == "test"
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# Tests collect no static files; what they need is served from where it lies.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = MODE == "test"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
# Behind one proxy, that proxy says how and whence a request came; without one, nobody is believed.
_behind_proxy = env.flag("BEHIND_PROXY", False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _behind_proxy else None
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if _behind_proxy else 0
_https = BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = 31_536_000 if _https and MODE == "production" else 0
SECURE_SSL_REDIRECT = env.flag("SSL_REDIRECT", False)
DATA_UPLOAD_MAX_NUMBER_FIELDS = 3000

_mail = environ.Env.email_url_config(
    env.address(
        "EMAIL_URL",
        like="smtp+tls://user:password@host:587",
        schemes=environ.Env.EMAIL_SCHEMES,
        default="consolemail://",
    )
)
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
# A demo keeps its mail to be read in the portal, unless EMAIL_URL says where mail goes.
DEMO_MAIL_DIR = DATA_DIR / "mail" if MODE == "demo" and not env.text("EMAIL_URL") else None
if DEMO_MAIL_DIR:
    EMAIL_BACKEND = "portal.notify.demo_mail.KeepMail"
elif MODE == "production" and EMAIL_BACKEND.endswith("console.EmailBackend"):
    EMAIL_BACKEND = "portal.notify.console.EmailBackend"  # what lets people in is not for the log
EMAIL_HOST = _mail.get("EMAIL_HOST", "")
EMAIL_PORT = _mail.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = _mail.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _mail.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = _mail.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _mail.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Ortak <noreply@ortak.example>")

# Celery speaks of a Redis socket as redis+socket://…?virtual_host=1, Django and redis-py as unix://…?db=1.
CELERY_BROKER_URL = REDIS_URL
if REDIS_URL.startswith("unix://"):
    CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A task a killed worker held comes back after this many seconds; the sweeps are sooner.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 300, "socket_keepalive": True, "socket_connect_timeout": 5}
# Worker and beat come back however long Redis was away.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    "worker-heartbeat": {"task": "portal.notify.tasks.heartbeat", "schedule": 15.0},
    "deliver-mail": {"task": "portal.notify.tasks.deliver_due", "schedule": 15.0},
    "tell-account-holders": {"task": "portal.accounts.tasks.tell_account_holders", "schedule": 10.0},
    "deliver-digests": {"task": "portal.notify.tasks.deliver_digests", "schedule": crontab(minute=0)},
    "remind-to-answer": {"task": "referrals.tasks.remind", "schedule": crontab(minute=5)},
    "remind-to-register": {"task": "dealreg.tasks.remind", "schedule": crontab(minute=10)},
    "deliver-webhooks": {"task": "portal.webhooks.tasks.deliver", "schedule": 5.0},
    "purge-deliveries": {"task": "portal.webhooks.tasks.purge", "schedule": crontab(hour=3, minute=20)},
    "expire-referrals": {"task": "referrals.tasks.expire_due", "schedule": 60.0},
    "win-at-the-safe-hour": {"task": "referrals.tasks.win_scheduled", "schedule": 60.0},
    "revalue-open-deals": {"task": "referrals.tasks.revalue_open", "schedule": 3600.0},
    "route-registrations": {"task": "dealreg.tasks.route_submitted", "schedule": 10.0},
    "open-missed-registrations": {"task": "dealreg.tasks.open_missed", "schedule": 3600.0},
    "open-missed-cases": {"task": "portal.desk.tasks.open_missed", "schedule": 3600.0},
    "tell-what-is-due-on-the-desk": {"task": "portal.desk.tasks.tell_due", "schedule": crontab(minute=30)},
    "match-marketplace-transactions": {"task": "dealreg.tasks.match_marketplace", "schedule": 180.0},
    "remind-of-marketplace-transactions": {
        "task": "dealreg.tasks.remind_of_marketplace",
        "schedule": crontab(minute=15),
    },
    "close-decided-registrations": {"task": "dealreg.tasks.close_decided", "schedule": 60.0},
    "scan-documents": {"task": "dealreg.tasks.scan_documents", "schedule": 60.0},
    "purge-documents": {"task": "dealreg.tasks.purge_documents", "schedule": 3600.0},
    "fail-unanswered-registrations": {"task": "dealreg.tasks.fail_unanswered", "schedule": 60.0},
    "sample-approved-registrations": {"task": "dealreg.tasks.draw_sample", "schedule": 3600.0},
    "remind-to-correct": {"task": "dealreg.tasks.remind_to_correct", "schedule": crontab(minute=15)},
    "end-evidence-of-exceptions": {"task": "exceptions_council.tasks.end_evidence", "schedule": 60.0},
    "note-overdue-exceptions": {"task": "exceptions_council.tasks.note_overdue", "schedule": 3600.0},
    "note-exceptions-without-quorum": {"task": "exceptions_council.tasks.note_too_few", "schedule": 3600.0},
    "remind-of-evidence": {"task": "exceptions_council.tasks.remind_of_evidence", "schedule": crontab(minute=20)},
    "remind-to-ask-for-exceptions": {
        "task": "exceptions_council.tasks.remind_of_asking",
        "schedule": crontab(minute=20),
    },
    "issue-due-invoices": {"task": "isvconnect.tasks.issue_due", "schedule": crontab(minute=25)},
    "expire-invitations-of-customers": {"task": "licensing.tasks.expire_invitations", "schedule": 60.0},
    "forget-codes-and-links": {"task": "licensing.tasks.forget_mailed", "schedule": crontab(hour=3, minute=40)},
    "make-waiting-exports": {"task": "portal.pages.tasks.make_waiting_exports", "schedule": 60.0},
    "work-on-waiting-uploads": {"task": "portal.pages.tasks.work_on_waiting_uploads", "schedule": 60.0},
    "purge-exports": {"task": "portal.pages.tasks.purge_exports", "schedule": 3600.0},
    "purge-api": {"task": "portal.api.tasks.purge", "schedule": 3600.0},
    "index-renamed-customers": {"task": "referrals.tasks.index_renamed_customers", "schedule": 3600.0},
}

LOG_LEVEL = env.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), "INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "portal.logs.formatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    # httpx would log every address it is sent to, keys in it included.
    "loggers": {"django.server": {"propagate": True, "handlers": []}, "httpx": {"level": "WARNING"}},
}

os.environ.setdefault("PGAPPNAME", "ortak")
