"""Languages and time. Chinese is the default, English is complete; all stored times are UTC."""

from config.env import BASE_DIR

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
# The second holds the descriptions in the API documents; `make docs` collects them.
LOCALE_PATHS = [BASE_DIR / "locale", BASE_DIR / "locale" / "api"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
