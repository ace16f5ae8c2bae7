"""A small policy pack, for tests to spoil one thing at a time.

Owns a text that is right in every respect, and packs of any series and day made from it. Knows
nothing of what is tested with them.
"""

import re
from datetime import date

import pytest

from identity.domain.policy import PolicyPack, PolicyPackError
from identity.domain.policy_text import parse_policy_pack

LAST_STEPS = (
    'steps = [{ kind = "notify", after_hours = 0 }, { kind = "suspend", after_hours = 24 }]\n'
)

WORDS = """
[tracks.A.cure]
vi = "Lối ra của A."
en = "Way out of A."

[tracks.A.notice]
vi = "Số {number}: {step} ngày {date}. {cure}"
en = "Number {number}: {step} on {date}. {cure}"
"""

PACK = f"""
version = "test-2026-01-01"
series = "test"
effective_on = 2026-01-01

[verification]
citation = "A circular."
face_dissimilarity_max = 0.4
session_lifetime_s = 600

[tracks.A]
causes = ["device_change", "disowned"]
citation = "Rule A."
confirm_in_gazette = false
assurance = "chip_and_face"
execute_within_hours = 2
primary_extra_hours = 0
steps = [
  {{ kind = "notify", after_hours = 0 }},
  {{ kind = "block_outgoing", after_hours = 1.5 }},
  {{ kind = "terminate", after_hours = 720 }},
]
{WORDS}
[tracks.B]
causes = ["unverified", "mismatched", "not_found", "deceased"]
citation = "Rule B."
confirm_in_gazette = true
assurance = "chip_and_face"
execute_within_hours = 24
primary_extra_hours = 120
steps = [{{ kind = "notify", after_hours = 0 }}, {{ kind = "suspend", after_hours = 24 }}]

[tracks.B.cure]
vi = "Lối ra của B."
en = "Way out of B."

[tracks.B.notice]
vi = "Báo số {{number}}: {{step}} ngày {{date}}. {{cure}}"
en = "Notice to {{number}}: {{step}} on {{date}}. {{cure}}"

[tracks.B.primary_notice]
vi = "Báo số chính {{number}}: {{step}} ngày {{date}}. {{cure}}"
en = "Notice to primary {{number}}: {{step}} on {{date}}. {{cure}}"
"""


def changed(old: str, new: str, *, text: str = PACK) -> str:
    """The text with one thing else in it."""
    assert text.count(old) == 1, f"{old!r} must stand once"
    return text.replace(old, new)


def made(
    version: str,
    *,
    on: date,
    series: str = "test",
    until: date | None = None,
    is_retroactive: bool = False,
    suspend_after_hours: float = 24,
) -> PolicyPack:
    """The pack under another name and day, with another interval before its last step of B."""
    end = "" if until is None else f"effective_until = {until}\n"
    text = changed('"test-2026-01-01"', f'"{version}"')
    text = changed('series = "test"', f'series = "{series}"', text=text)
    retroactive = str(is_retroactive).lower()
    text = changed(
        "effective_on = 2026-01-01\n",
        f"effective_on = {on}\n{end}retroactive = {retroactive}\n",
        text=text,
    )
    text = changed("after_hours = 24 ", f"after_hours = {suspend_after_hours} ", text=text)
    return parse_policy_pack(text)


def assert_refused(text: str, message: str) -> None:
    """The text is no pack, and the message says this on one line."""
    with pytest.raises(PolicyPackError, match=re.escape(message)) as refusal:
        parse_policy_pack(text)
    assert str(refusal.value).isprintable()
