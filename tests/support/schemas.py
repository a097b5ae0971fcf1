"""The shipped JSON Schemas, and a strict form of them in which a key that is not described is an error."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator


@cache
def validator(name: str, strict: bool = False) -> Draft202012Validator:
    schema = json.loads(files("sttdoctor").joinpath("schemas", f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(closed(schema) if strict else schema)


def closed(node: Any) -> Any:
    """A schema in which no object has other keys than those it lists."""
    if isinstance(node, list):
        return [closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    inner = {key: closed(value) for key, value in node.items()}
    is_object = node.get("type") == "object" and isinstance(node.get("properties"), dict)
    return {**inner, "additionalProperties": False} if is_object else inner


def undescribed(node: Any, where: str = "") -> list[str]:
    """Places of a schema that a reader has to guess the meaning of."""
    if not isinstance(node, dict):
        return []
    names = [
        f"{where}/{key}"
        for key, value in node.get("properties", {}).items()
        if "description" not in value and "$ref" not in value and not set(value) <= {"const"}
    ]
    inner = [*node.get("properties", {}).items(), *node.get("$defs", {}).items(), ("items", node.get("items"))]
    return names + [place for key, value in inner for place in undescribed(value, f"{where}/{key}")]
