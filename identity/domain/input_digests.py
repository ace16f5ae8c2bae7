"""What a verification was shown, as digests.

Owns which inputs are remembered and by what. Knows neither the inputs nor how they are examined: a
digest shows later that some bytes are the ones that were judged, and tells nothing else of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class InputDigests:
    """SHA-256 of each input but the live photographs, which stand with the face.

    Attributes:
        sod: EF.SOD.
        data_groups: Each data group by its number.
        nonces: Each nonce of active authentication that the chip had to sign, in their order.
        signatures: Each of the chip's answers, in their order; none where it gave none.
        portrait: The portrait that the chip showed; None where none could be read.
    """

    sod: bytes = field(repr=False)
    data_groups: Mapping[int, bytes] = field(repr=False)
    nonces: tuple[bytes, ...] = field(repr=False)
    signatures: tuple[bytes, ...] = field(repr=False)
    portrait: bytes | None = field(repr=False)
