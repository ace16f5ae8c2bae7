"""Every target of the fuzzers by its name.

Owns nothing but the list: chips are `chip_targets`'s, all else is `parser_targets`'s.
"""

from collections.abc import Mapping

from tests.fuzz.chip_targets import TARGETS, Target
from tests.fuzz.parser_targets import PARSER_TARGETS

ALL_TARGETS: Mapping[str, Target] = {**TARGETS, **PARSER_TARGETS}
