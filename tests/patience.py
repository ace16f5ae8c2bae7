"""Asking again until something is so, with a pause between two questions and an end.

Owns the pace alone: what is asked, and what is wrong when it never comes, its caller says.
"""

import threading
from collections.abc import Callable
from time import monotonic
from typing import TypeVar

PAUSE_S = 0.02
"""Between two questions: whoever is waited for needs the processor too."""

PATIENCE_S = 120.0
"""What is not so by then will not be: no machine is slower."""

_Answer = TypeVar("_Answer")


def asked_until_there(ask: Callable[[], _Answer | None], what: str) -> _Answer:
    """The first answer that is not None.

    Args:
        ask: Asked again and again.
        what: What is missing when it never comes.

    Raises:
        AssertionError: It has not come within `PATIENCE_S`.
    """
    give_up_at, never = monotonic() + PATIENCE_S, threading.Event()
    while (answer := ask()) is None:
        assert monotonic() < give_up_at, what
        never.wait(PAUSE_S)
    return answer
