"""Scored trials as arrays: what every rate, curve and threshold is computed from.

Owns the table and its divisions by people and by group. Refuses to know how a score was made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Strings = npt.NDArray[np.str_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Trials:
    """Comparison trials that gave a score, one entry of each array for each.

    Attributes:
        similarity: Higher is more alike, whatever the score; finite.
        is_mated: Whether both photographs show one person.
        identity_a: Who the first photograph shows, as a number from 0.
        identity_b: Who the second shows.
        groups: Column to values; an empty value is in no group.

    Raises:
        ValueError: The arrays differ in length or a similarity is not finite.
    """

    similarity: Floats
    is_mated: Mask
    identity_a: Integers
    identity_b: Integers
    groups: Mapping[str, Strings]

    def __post_init__(self) -> None:
        """Hold the table together."""
        columns = (self.is_mated, self.identity_a, self.identity_b, *self.groups.values())
        if any(len(column) != len(self.similarity) for column in columns):
            raise ValueError("the columns of a table have one length")
        if not np.isfinite(self.similarity).all():
            raise ValueError("a similarity is a finite number")

    def __len__(self) -> int:
        """The number of trials."""
        return len(self.similarity)

    def where(self, mask: Mask) -> "Trials":
        """The trials that `mask` selects."""
        return Trials(
            similarity=self.similarity[mask],
            is_mated=self.is_mated[mask],
            identity_a=self.identity_a[mask],
            identity_b=self.identity_b[mask],
            groups={column: values[mask] for column, values in self.groups.items()},
        )

    def with_similarity(self, similarity: Floats) -> "Trials":
        """The same trials with another score."""
        return replace(self, similarity=similarity)

    @property
    def mated(self) -> "Trials":
        """The trials of one person with themselves."""
        return self.where(self.is_mated)

    @property
    def non_mated(self) -> "Trials":
        """The trials of two different people."""
        return self.where(~self.is_mated)

    @property
    def identities(self) -> Integers:
        """Everybody with a trial, once, sorted."""
        return np.unique(np.concatenate([self.identity_a, self.identity_b]))

    @property
    def independent(self) -> int:
        """How many independent trials these are worth at most: different pairs of people.

        A hundred comparisons of the same two people are one look at how alike those two are.
        """
        low = np.minimum(self.identity_a, self.identity_b)
        high = np.maximum(self.identity_a, self.identity_b)
        # One number for each pair: much faster to sort than pairs are.
        return len(np.unique(low * (int(high.max(initial=0)) + 1) + high))

    def among(self, identities: npt.ArrayLike) -> Mask:
        """Which trials are between two of these people."""
        both = np.isin(self.identity_a, identities) & np.isin(self.identity_b, identities)
        return np.asarray(both, dtype=np.bool_)

    def group_masks(self, columns: tuple[str, ...] | None = None) -> dict[tuple[str, str], Mask]:
        """Each group (column and value) to the trials in it.

        Args:
            columns: Only these columns; all without.
        """
        return {
            (column, str(value)): self.groups[column] == value
            for column in (self.groups if columns is None else columns)
            for value in np.unique(self.groups[column])
            if value
        }
