"""The finished OpenAPI document: names as the version spells them, texts in the reader's language, strict bodies."""

import re
from collections import Counter
from http import HTTPStatus
from itertools import count
from typing import Any

import orjson
from django.utils.translation import gettext

from system.api.renderers import dumps
from system.api.versions import version_named
from system.naming import NAMING_PARAMETERS, VERBATIM, Naming

Document = dict[str, Any]

REFERENCE, RESPONSES = "#/components/schemas/", "#/components/responses/"
FIRST_REFUSAL = "304"
_TEMPLATE = re.compile(r"{(\w+)}")
_TEXTS = frozenset({"description", "summary"})


def finish(result: Document, generator: Any, **_kwargs: Any) -> Document:
    """Postprocessing hook of drf-spectacular."""
    version = version_named(generator.api_version)
    document: Document = orjson.loads(dumps(result))
    _refuse_unknown_fields(document)
    if not version.naming.keeps:
        document = _Speller(version.naming, document).document()
    translated: Document = _translated(document)
    _share_refusals(translated)
    return translated


def texts(document: Any) -> set[str]:
    """Every description and summary of a document."""
    if isinstance(document, list):
        return set().union(*map(texts, document)) if document else set()
    if not isinstance(document, dict):
        return set()
    found = {value for name, value in document.items() if name in _TEXTS and isinstance(value, str) and value}
    return found.union(*(texts(value) for name, value in document.items() if name not in ("example", "examples")))


def _refuse_unknown_fields(document: Document) -> None:
    for name, schema in document["components"]["schemas"].items():
        if name.endswith("Request") and "properties" in schema:
            schema.setdefault("additionalProperties", False)


def _share_refusals(document: Document) -> None:
    """Name what many operations refuse alike once, and refer to it: the document shrinks to a third."""
    answers = [operation["responses"] for path in document["paths"].values() for operation in path.values()]
    refusals = [(found, status) for found in answers for status in found if status >= FIRST_REFUSAL]
    uses = Counter(orjson.dumps(found[status]) for found, status in refusals)
    shared: dict[bytes, str] = {}
    for found, status in refusals:
        content = orjson.dumps(found[status])
        if uses[content] > 1:
            if content not in shared:
                shared[content] = _free_name(status, document["components"].setdefault("responses", {}))
                document["components"]["responses"][shared[content]] = found[status]
            found[status] = {"$ref": f"{RESPONSES}{shared[content]}"}


def _free_name(status: str, taken: Document) -> str:
    phrase = re.sub(r"\W", "", HTTPStatus(int(status)).phrase)
    return next(name for number in count(1) if (name := f"{phrase}{number if number > 1 else ''}") not in taken)


def _translated(value: Any) -> Any:
    if isinstance(value, list):
        return [_translated(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: gettext(inner) if name in _TEXTS and isinstance(inner, str) and inner else _translated(inner)
        for name, inner in value.items()
    }


class _Speller:
    """Renames properties, parameters, path templates and examples.

    What a property of `VERBATIM` refers to is somebody's data and keeps its names.
    """

    def __init__(self, naming: Naming, document: Document) -> None:
        self._naming = naming
        self._document = document
        self._kept = self._verbatim_components()

    def document(self) -> Document:
        """The renamed document."""
        paths = {
            _TEMPLATE.sub(self._template, path): self._walk(item) for path, item in self._document["paths"].items()
        }
        components = dict(self._document["components"])
        components["schemas"] = {
            name: schema if name in self._kept else self._walk(schema) for name, schema in components["schemas"].items()
        }
        return {**self._document, "paths": paths, "components": components}

    def _template(self, found: re.Match[str]) -> str:
        return f"{{{self._naming.outgoing(found[1])}}}"

    def _walk(self, part: Any) -> Any:
        if isinstance(part, list):
            return [self._walk(item) for item in part]
        if not isinstance(part, dict):
            return part
        walked = {name: self._part(name, value) for name, value in part.items()}
        if "in" in part and "name" in part and part["in"] != "header":
            walked["name"] = self._naming.outgoing(part["name"])
            walked["schema"] = self._parameter_schema(part["name"], walked["schema"])
        return walked

    def _part(self, name: str, value: Any) -> Any:
        if name == "properties" and isinstance(value, dict):
            return {self._naming.outgoing(key): self._property(key, inner) for key, inner in value.items()}
        if name == "required" and isinstance(value, list):
            return [self._naming.outgoing(key) for key in value]
        if name == "examples" and isinstance(value, dict):
            return {key: self._example(inner) for key, inner in value.items()}
        if name == "example":
            return self._naming.rename(value)
        return self._walk(value)

    def _property(self, name: str, schema: Any) -> Any:
        return schema if name in VERBATIM else self._walk(schema)

    def _example(self, example: Any) -> Any:
        return {**example, "value": self._naming.rename(example["value"])} if "value" in example else example

    def _parameter_schema(self, name: str, schema: Document) -> Document:
        """The values of parameters that name fields are names, too."""
        if name not in NAMING_PARAMETERS:
            return schema
        if "items" in schema:
            return {**schema, "items": self._parameter_schema(name, schema["items"])}
        spelled = dict(schema)
        if "enum" in schema:
            spelled["enum"] = [self._naming.outgoing(value) for value in schema["enum"]]
        if "default" in schema:
            spelled["default"] = self._naming.outgoing(schema["default"])
        return spelled

    def _verbatim_components(self) -> set[str]:
        found: set[str] = set()
        for schema in self._document["components"]["schemas"].values():
            for name, inner in schema.get("properties", {}).items():
                if name in VERBATIM:
                    self._collect(inner, found)
        return found

    def _collect(self, part: Any, found: set[str]) -> None:
        if isinstance(part, list):
            for item in part:
                self._collect(item, found)
        elif isinstance(part, dict):
            name = part.get("$ref", "").removeprefix(REFERENCE)
            if name and name not in found:
                found.add(name)
                self._collect(self._document["components"]["schemas"][name], found)
            for inner in part.values():
                self._collect(inner, found)
