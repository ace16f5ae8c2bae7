"""What a reader brings: the files of one chip, and answers to nonces of ours.

Owns the inputs of `verify_chip`. Octets only, nothing is parsed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, repr=False)
class ChipFiles:
    """Raw contents of the files, as read from the chip. Its repr shows nothing of them.

    Attributes:
        sod: EF.SOD.
        data_groups: By number: `{1: dg1, 2: dg2, 13: dg13, 15: dg15}`. EF.COM has no place here:
            nobody signs it, so which groups there are is read from EF.SOD.
        is_dump: The files come from a folder and not from a reader that asked the chip for each
            and sent it a nonce. What is absent then was perhaps never asked for: undetermined,
            not withheld. Groups whose hash is not good are parsed too, for their codes alone.
    """

    sod: bytes
    data_groups: Mapping[int, bytes]
    is_dump: bool = False


@dataclass(frozen=True, kw_only=True, repr=False)
class ActiveEvidence:
    """The chip's answer to INTERNAL AUTHENTICATE (Doc 9303-11, clause 6.1).

    The standard's nonce has 64 bits. A caller that wants more sends the chip four, one after the
    other, and gives all four here, side by side: 256 bits, and four answers of one length.

    Attributes:
        nonce: 8 or 32 octets that the server drew for this session and accepts once; keeping that
            is the caller's, for this package remembers nothing.
        signature: What the chip returned, or returned in turn.
    """

    nonce: bytes
    signature: bytes

    @classmethod
    def joined(cls, nonces: Sequence[bytes], signatures: Sequence[bytes]) -> "ActiveEvidence":
        """Return the evidence of one exchange or of four.

        Raises:
            ValueError: another number of answers than of nonces, or answers of several lengths:
                they could not be told apart again.
        """
        if len(nonces) != len(signatures) or len({len(answer) for answer in signatures}) > 1:
            raise ValueError("one answer for each nonce, all of one length")
        return cls(nonce=b"".join(nonces), signature=b"".join(signatures))


@dataclass(frozen=True, kw_only=True, repr=False)
class ChipAuthenticationEvidence:
    """What a phone says of a chip authentication (Doc 9303-11, clause 6.2) it ran itself.

    Whoever knows the terminal's private key can compute the chip's answer alone, and the phone
    knows it. So this proves nothing, whatever it holds, and the report says so.

    Attributes:
        transcript: As the phone sent it; not read.
    """

    transcript: bytes
