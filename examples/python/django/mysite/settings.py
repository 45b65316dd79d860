"""Settings of the site."""

# Of the build only: `app.py` has the one of the running site.
SECRET_KEY = "of the build"
# The host's routes say which names lead here.
ALLOWED_HOSTS = ["*"]
DEBUG = False

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "blog",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "mysite.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
# SQLite in memory, which the host keeps. A request's changes are kept before it is answered.
DATABASES = {"default": {"ENGINE": "holdfast.django", "NAME": "blog", "ATOMIC_REQUESTS": True}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Nothing of a session has to be kept then.
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
# Python in a component has no OpenSSL, and derives keys more slowly than it would with it.
PASSWORD_HASHERS = ["mysite.passwords.Hasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "index"
STATIC_URL = "static/"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
# What Python's logging gets goes to the host's log.
LOGGING_CONFIG = None
