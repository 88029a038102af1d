"""The descriptions in the OpenAPI documents: collected into a message file of their own, since they are docstrings."""

import json
from collections.abc import Iterable
from pathlib import Path

import polib
from django.conf import settings

from system.api.docs import schema_bytes
from system.api.openapi import texts

# What the code itself marks for translation; it need not be translated twice.
CODE = Path("locale/zh_Hans/LC_MESSAGES/django.po")
TARGET = Path("locale/api/zh_Hans/LC_MESSAGES/django.po")
METADATA = {"Content-Type": "text/plain; charset=UTF-8", "Content-Transfer-Encoding": "8bit", "Language": "zh_Hans"}


def described() -> list[str]:
    """All English descriptions and summaries of all versions, sorted."""
    documents = [json.loads(schema_bytes(version, "en")) for version in settings.API_VERSIONS]
    marked = {entry.msgid for entry in polib.pofile(str(CODE))}
    return sorted(set().union(*map(texts, documents)) - marked)


def update(path: Path, wanted: Iterable[str]) -> polib.POFile:
    """The message file with exactly these texts, known translations kept; written with its compiled form."""
    known = {entry.msgid: entry.msgstr for entry in polib.pofile(str(path))} if path.exists() else {}
    messages = polib.POFile(wrapwidth=0)
    messages.metadata = METADATA
    messages.extend(polib.POEntry(msgid=text, msgstr=known.get(text, "")) for text in wanted)
    path.parent.mkdir(parents=True, exist_ok=True)
    messages.save(str(path))
    messages.save_as_mofile(str(path.with_suffix(".mo")))
    return messages
