"""Whom one request names: the personal IDs in its fields.

Owns how they are found, from the descriptor alone, so that no method is left out. What stands in a
list is not looked for: work in bulk is counted person by person where it is done, by quotas and the
watch over look-ups. Knows no caller and no method's meaning.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from google.protobuf.message import Message

NAME = "personal_id"
"""The name of a field that holds a personal ID, or the end of it after `_`."""


def people_named(request: Message) -> frozenset[str]:
    """The personal IDs in a request's own fields, and in the messages that it holds one of.

    They are as they came: well formed only where the contract asks for that.
    """
    return frozenset(_named(request)) - {""}


def _named(message: Message) -> Iterator[str]:
    for name, is_person in _places(message.DESCRIPTOR):
        if is_person:
            yield getattr(message, name)
        elif message.HasField(name):
            yield from _named(getattr(message, name))


@lru_cache(maxsize=512)
def _places(described: Any) -> tuple[tuple[str, bool], ...]:  # noqa: ANN401 - descriptors of upb have no stubs
    """The fields that hold a person (True), or one message in which somebody may stand."""
    single = [field for field in described.fields if not field.is_repeated]
    people = [
        (field.name, True)
        for field in single
        if field.type == field.TYPE_STRING
        and (field.name == NAME or field.name.endswith(f"_{NAME}"))
    ]
    parts = [
        (field.name, False)
        for field in single
        if field.message_type is not None and _places(field.message_type)
    ]
    return (*people, *parts)
