"""All settings, one topic a file. Values come from the environment through `config.env`."""

from config import env

env.load_env_files(".env", ".devstack/env")

from config.settings.admin import *  # noqa: E402, F403 (the environment files must be read first)
from config.settings.api import *  # noqa: E402, F403
from config.settings.auth import *  # noqa: E402, F403
from config.settings.base import *  # noqa: E402, F403
from config.settings.celery import *  # noqa: E402, F403
from config.settings.data import *  # noqa: E402, F403
from config.settings.exports import *  # noqa: E402, F403
from config.settings.feeds import *  # noqa: E402, F403
from config.settings.i18n import *  # noqa: E402, F403
from config.settings.live import *  # noqa: E402, F403
from config.settings.logs import *  # noqa: E402, F403
from config.settings.mail import *  # noqa: E402, F403
from config.settings.security import *  # noqa: E402, F403
from config.settings.sync import *  # noqa: E402, F403
from config.settings.throttling import *  # noqa: E402, F403
