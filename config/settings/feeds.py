"""Feeds: where what is read of them is kept for a while."""

from pathlib import Path

from config.env import BASE_DIR, integer, text

# Feeds that are not files of UTF-8 are kept here as such, so all workers and web servers should see the same folder.
FEED_CACHE_FOLDER = Path(text("FEED_CACHE_FOLDER", str(BASE_DIR / "var" / "feeds")))
# A sync that rests longer reads its feed again.
FEED_CACHE_HOURS = integer("FEED_CACHE_HOURS", 72, minimum=1)
