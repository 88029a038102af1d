"""The back office."""

from config.env import text

ADMIN_URL = text("ADMIN_URL", "admin/")

UNFOLD = {
    "SITE_TITLE": "1688sync",
    "SITE_HEADER": "1688sync",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
}
