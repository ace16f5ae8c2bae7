"""The private key inside a chip, and how the chip proves that it holds it.

Owns active authentication as a card does it, and how many keys the cards of one authority share. It
refuses to know the card around the key, and who asks.
"""

import hashlib
import secrets

from cryptography.hazmat.primitives.asymmetric import rsa

NONCE_BYTES = 8
"""Length of RND.IFD, the challenge of active authentication (Doc 9303-11, 6.1)."""

_RSA_BITS = 2048
_RSA_EXPONENT = 65537

_ISO_9796_HEADER = b"\x6a"
_ISO_9796_TRAILER_SHA256 = b"\x34\xcc"


class ChipKeys:
    """Where an authority takes the keys of its chips from."""

    def __init__(self, size: int | None) -> None:
        """Begin without any key.

        Args:
            size: How many are made, and then shared round; None: each is a new one.
        """
        self._size = size
        self._made: list[rsa.RSAPrivateKey] = []
        self._shared_count = 0

    def take(self) -> rsa.RSAPrivateKey:
        """Return the key of the next chip."""
        if self._size is None:
            return new_chip_key()
        if len(self._made) < self._size:
            self._made.append(new_chip_key())
            return self._made[-1]
        self._shared_count += 1
        return self._made[self._shared_count % self._size]


def new_chip_key() -> rsa.RSAPrivateKey:
    """Make a key; it takes some 0.1 s."""
    return rsa.generate_private_key(public_exponent=_RSA_EXPONENT, key_size=_RSA_BITS)


def answer(nonce: bytes, *, key: rsa.RSAPrivateKey) -> bytes:
    """Sign a nonce as a chip does: ISO/IEC 9796-2, scheme 1, with SHA-256.

    The message is recovered from the signature: 6A, random M1 of full length, SHA-256 of M1 and
    nonce, 34CC; then RSA.

    Args:
        nonce: The server's challenge, 8 bytes.
        key: The chip's.

    Returns:
        The signature, as long as the modulus.

    Raises:
        ValueError: The nonce has another length.
    """
    if len(nonce) != NONCE_BYTES:
        raise ValueError(f"a nonce has {NONCE_BYTES} bytes, this one has {len(nonce)}")
    modulus_bytes = key.key_size // 8
    overhead = len(_ISO_9796_HEADER) + hashlib.sha256().digest_size + len(_ISO_9796_TRAILER_SHA256)
    recoverable = secrets.token_bytes(modulus_bytes - overhead)
    digest = hashlib.sha256(recoverable + nonce).digest()
    representative = _ISO_9796_HEADER + recoverable + digest + _ISO_9796_TRAILER_SHA256
    return _rsa_private(int.from_bytes(representative, "big"), key=key).to_bytes(
        modulus_bytes, "big"
    )


def _rsa_private(value: int, *, key: rsa.RSAPrivateKey) -> int:
    """Raise a number to the private exponent, by the Chinese remainder theorem.

    `cryptography` offers no raw RSA. Timing does not matter here: nobody measures a simulation.
    """
    numbers = key.private_numbers()
    modulo_p = pow(value, numbers.dmp1, numbers.p)
    modulo_q = pow(value, numbers.dmq1, numbers.q)
    return modulo_q + numbers.q * ((modulo_p - modulo_q) * numbers.iqmp % numbers.p)
