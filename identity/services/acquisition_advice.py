"""What a person can do when no face could be taken.

Owns the sentences for what can go wrong around the comparison; those about a photograph itself
come from the biometrics library.
"""

from dataclasses import dataclass

from biometrics.face.acquisition import AcquisitionFailure
from biometrics.face.advice import advice

REFERENCE_PREFIX = "REFERENCE_"
"""What the name of a failure begins with when the portrait in the chip is at fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One piece of advice, ready to be shown to a person."""

    vietnamese: str
    english: str


_ABOUT_THE_CARD = Advice(
    vietnamese=(
        "Không dùng được ảnh trong chip của thẻ. Hãy đọc lại thẻ; nếu vẫn không được, "
        "hãy đến điểm giao dịch."
    ),
    english=(
        "The photograph in the card's chip cannot be used. Read the card again; if that does not "
        "help, go to a point of sale."
    ),
)
_TRY_AGAIN = Advice(
    vietnamese="Hãy chụp lại ảnh khuôn mặt, nhìn thẳng vào máy ảnh ở nơi đủ sáng, rồi thử lại.",
    english="Take new photographs of your face, looking straight into the camera in good light.",
)


def advise(failure: str) -> Advice:
    """The advice for a failure to acquire, by its name in a verdict."""
    if failure.startswith(REFERENCE_PREFIX):
        return _ABOUT_THE_CARD
    reason = failure.lower()
    # Stored verdicts may name reasons that the library no longer has, or that are ours.
    if reason not in set(AcquisitionFailure):
        return _TRY_AGAIN
    known = advice(AcquisitionFailure(reason))
    return Advice(vietnamese=known.vi, english=known.en)
