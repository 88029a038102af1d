"""Exports of the catalogue as files."""

from pathlib import Path

from config.env import BASE_DIR, integer, text

# Web servers and workers write and read files here, so all of them must see the same folder.
EXPORT_DIR = Path(text("EXPORT_DIR", str(BASE_DIR / "var" / "exports")))
# Up to here an export is answered at once; a larger one becomes a task.
EXPORT_STREAM_MAX_ROWS = integer("EXPORT_STREAM_MAX_ROWS", 20_000, minimum=0, maximum=100_000)
EXPORT_KEEP_SECONDS = integer("EXPORT_KEEP_SECONDS", 24 * 3600, minimum=60)
