"""Feeds: where what is read of them is kept for a while."""

from pathlib import Path

from config.env import BASE_DIR, integer, text

# Feeds from addresses, and files that are not UTF-8, are kept here as UTF-8, so all workers and web servers should
# see the same folder.
FEED_CACHE_FOLDER = Path(text("FEED_CACHE_FOLDER", str(BASE_DIR / "var" / "feeds")))
# A sync that rests longer reads its feed again.
FEED_CACHE_HOURS = integer("FEED_CACHE_HOURS", 72, minimum=1)
# What a feed from an address may have, unpacked, and how long it may take to come.
FEED_DOWNLOAD_BYTES = integer("FEED_DOWNLOAD_BYTES", 2 * 1024 * 1024 * 1024, minimum=1024)
FEED_DOWNLOAD_SECONDS = integer("FEED_DOWNLOAD_SECONDS", 1800, minimum=1)
