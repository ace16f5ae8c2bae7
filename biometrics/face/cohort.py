"""Unrelated people whose faces tell how crowded the neighbourhood of a face is.

Owns the set of vectors, its byte form, its digest and the mean cosine to the nearest of them.
Refuses to know who the people are: a cohort holds no names and no order of enrolment. Its vectors
are still biometric data, so whoever stores the bytes seals them.
"""

import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from biometrics.face.acquisition import InvalidTemplateError, Template

COHORT_IDENTITIES_MIN = 300
"""Below this many people the ten nearest are not near, and the score is little better than a plain
cosine: an operating point then falls back to a score without a cohort."""

COHORT_IDENTITIES_MAX = 100_000
"""A cohort is read into memory: 51 MB at 128 values."""

NEAREST_IDENTITIES = 10
"""How many of the nearest people are averaged. The usual order of size for adaptive score
normalisation (AS-norm, top-N cohort selection); ten of some thousand people was measured."""

SAME_PORTRAIT_COSINE_MIN = 0.999
"""From here on a vector of the cohort is the compared reference itself and not another person.

One portrait embedded twice gives 1 within rounding (float32: 1e-6). Different photographs of
one person reached 0.9979 (866 pairs, dlib's network, London and LFW), so that a person is left out
by the enrolled portrait and never by likeness.
"""

_MAGIC = b"SFC1"
_PREFIX = struct.Struct("<4s32sIH")
"""Magic, digest of the model, number of people, number of values."""

Matrix = npt.NDArray[np.float64]
"""One unit vector for each row."""


class InvalidCohortError(ValueError):
    """The values or bytes are not a cohort."""


@dataclass(frozen=True, eq=False)
class Cohort:
    """One unit vector for each of some hundred or thousand unrelated people.

    Attributes:
        vectors: Float32, people x values, each row of length 1, read-only. The rows are sorted by
            value, so that they do not tell who was enrolled when and one set of people has one
            digest.
        model_digest: Mark of the templates the vectors were made from; see `Template`.

    Raises:
        InvalidCohortError: The shape is wrong, a value is not finite or a row is not a unit vector;
            or there are fewer than 10 or more than 100,000 people.
    """

    vectors: npt.NDArray[np.float32] = field(repr=False)
    model_digest: str

    def __post_init__(self) -> None:
        """Copy, check, sort and close the vectors."""
        vectors = np.array(self.vectors, dtype=np.float32)
        if vectors.ndim != 2 or not 0 < vectors.shape[1] <= np.iinfo(np.uint16).max:  # noqa: PLR2004 - people x values
            raise InvalidCohortError(f"a cohort is people x values, not {vectors.shape}")
        if not NEAREST_IDENTITIES <= len(vectors) <= COHORT_IDENTITIES_MAX:
            raise InvalidCohortError(
                f"a cohort is {NEAREST_IDENTITIES} to {COHORT_IDENTITIES_MAX} people, "
                f"not {len(vectors)}"
            )
        lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
        if not np.allclose(lengths, 1.0, atol=1e-3):  # false for NaN and infinity, too
            raise InvalidCohortError("each vector of a cohort has length 1")
        vectors = vectors[np.lexsort(vectors.T[::-1])]
        vectors.flags.writeable = False
        object.__setattr__(self, "vectors", vectors)
        _digest_bytes(self.model_digest)

    @classmethod
    def from_identities(cls, identities: Iterable[Sequence[Template]]) -> Self:
        """A cohort of people, each given by one or more templates.

        Args:
            identities: The templates of each person; a person's vector is the mean direction of
                theirs.

        Raises:
            InvalidCohortError: There are too few or too many people, or one without a template; or
                the templates are of several models.
        """
        people = [list(templates) for templates in identities]
        digests = {template.model_digest for person in people for template in person}
        if len(digests) != 1 or not all(people):
            raise InvalidCohortError("a cohort is made from templates of one model, 1 or more each")
        if len({template.vector.size for person in people for template in person}) != 1:
            raise InvalidCohortError("templates of one model have one length; these differ")
        vectors = [identity_vector([t.vector for t in person]) for person in people]
        return cls(vectors=np.stack(vectors).astype(np.float32), model_digest=digests.pop())

    def __len__(self) -> int:
        """The number of people."""
        return len(self.vectors)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the byte form: the version of the cohort."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @property
    def is_large_enough(self) -> bool:
        """Whether scores may be centred by it."""
        return len(self) >= COHORT_IDENTITIES_MIN

    def nearness(
        self, references: Matrix, probes: Matrix
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """The mean cosine of each reference, and of its probe, to their 10 nearest strangers.

        A person whose own portrait is in the cohort is not centred on himself: vectors that are
        practically the reference (`SAME_PORTRAIT_COSINE_MIN`) are left out for both. That can only
        lower the two means and raise the score, up to the one the person would have as a stranger
        to the cohort, which is what thresholds are set on. The reference alone says who is left
        out, for the probe is what an attacker chooses.

        Args:
            references: Unit vectors, number x values.
            probes: Unit vectors, one for each reference.

        Returns:
            Two values of -1..1 for each row: of the reference and of the probe.

        Raises:
            InvalidCohortError: The vectors have another length than the cohort's.
        """
        cosines = self._cosines(references)
        is_same = cosines >= SAME_PORTRAIT_COSINE_MIN
        # Nobody is left out where fewer than ten would remain: the score stays the lower one.
        is_same &= is_same.sum(axis=1, keepdims=True) <= len(self) - NEAREST_IDENTITIES
        nearness_of_references = _mean_of_nearest(cosines, left_out=is_same)
        return nearness_of_references, _mean_of_nearest(self._cosines(probes), left_out=is_same)

    def _cosines(self, vectors: Matrix) -> Matrix:
        if vectors.shape[-1] != self.vectors.shape[1]:
            raise InvalidCohortError(
                f"the cohort has {self.vectors.shape[1]} values for each person, "
                f"the templates have {vectors.shape[-1]}"
            )
        return np.asarray(vectors @ self.vectors.T.astype(np.float64), dtype=np.float64)

    def to_bytes(self) -> bytes:
        """Magic, model digest, people, values, then float32 rows, little-endian. No names.

        The bytes are biometric data in the clear: seal them before they are stored.
        """
        people, values = self.vectors.shape
        prefix = _PREFIX.pack(_MAGIC, _digest_bytes(self.model_digest), people, values)
        return prefix + self.vectors.astype("<f4").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The cohort that `to_bytes` wrote.

        Raises:
            InvalidCohortError: `data` is anything else.
        """
        if len(data) < _PREFIX.size:
            raise InvalidCohortError("too short for a cohort")
        magic, digest, people, values = _PREFIX.unpack_from(data)
        if magic != _MAGIC:
            raise InvalidCohortError("not a cohort of this version")
        if len(data) != _PREFIX.size + 4 * people * values:
            raise InvalidCohortError(f"{people} x {values} values announced, other bytes present")
        vectors = np.frombuffer(data, dtype="<f4", offset=_PREFIX.size).reshape(people, values)
        return cls(vectors=vectors, model_digest=digest.hex())


def _mean_of_nearest(
    cosines: Matrix, *, left_out: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    # In place: the matrix of an evaluation is large, and nobody needs it afterwards.
    cosines[left_out] = -np.inf
    cosines.partition(-NEAREST_IDENTITIES, axis=1)
    return np.asarray(cosines[:, -NEAREST_IDENTITIES:].mean(axis=1), dtype=np.float64)


def unit_vectors(vectors: npt.ArrayLike) -> Matrix:
    """Each row at length 1, in float64.

    Raises:
        InvalidTemplateError: A row has no direction: it is zero or not finite.
    """
    rows = np.asarray(vectors, dtype=np.float64)
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        raise InvalidTemplateError("a template of zeros or without finite values has no direction")
    return np.asarray(rows / lengths, dtype=np.float64)


def identity_vector(vectors: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float64]:
    """The mean direction of one person's vectors.

    Raises:
        InvalidTemplateError: The vectors have no direction, or cancel each other.
    """
    return unit_vectors(unit_vectors(np.stack(vectors)).mean(axis=0))


def _digest_bytes(model_digest: str) -> bytes:
    try:
        digest = bytes.fromhex(model_digest)
    except ValueError:
        digest = b""
    if len(digest) != hashlib.sha256().digest_size or digest.hex() != model_digest:
        raise InvalidCohortError("model_digest is not a SHA-256 in lower-case hexadecimal digits")
    return digest
