"""What a reader brings: the files of one chip, and a signature over a nonce of ours.

Owns the two inputs of `verify_chip`. Octets only, nothing is parsed.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, repr=False)
class ChipFiles:
    """Raw contents of the files, as read from the chip. Its repr shows nothing of them.

    Attributes:
        sod: EF.SOD.
        data_groups: By number: `{1: dg1, 2: dg2, 13: dg13, 15: dg15}`. EF.COM has no place here:
            nobody signs it, so which groups there are is read from EF.SOD.
    """

    sod: bytes
    data_groups: Mapping[int, bytes]


@dataclass(frozen=True, kw_only=True, repr=False)
class ActiveEvidence:
    """The chip's answer to INTERNAL AUTHENTICATE (Doc 9303-11, clause 6.1).

    Attributes:
        nonce: 8 octets that the server drew for this session and accepts once; keeping that is
            the caller's, for this package remembers nothing.
        signature: What the chip returned.
    """

    nonce: bytes
    signature: bytes
