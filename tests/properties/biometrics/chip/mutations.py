"""Small damage to good octets: what broken readers, cables and forgers do.

Owns the Hypothesis strategy of mutations; knows nothing of what it damages.
"""

from collections.abc import Callable

from hypothesis import strategies as st

Mutation = Callable[[bytes], bytes]


def _flip(place: float, mask: int) -> Mutation:
    def mutate(octets: bytes) -> bytes:
        at = int(place * len(octets))
        return octets[:at] + bytes([octets[at] ^ mask]) + octets[at + 1 :] if octets else octets

    return mutate


def _cut(start: float, end: float) -> Mutation:
    return lambda octets: octets[int(start * len(octets)) : int(end * len(octets))]


def _splice(place: float, inserted: bytes, removed: int) -> Mutation:
    def mutate(octets: bytes) -> bytes:
        at = int(place * len(octets))
        return octets[:at] + inserted + octets[at + removed :]

    return mutate


def _repeat(start: float, length: int) -> Mutation:
    def mutate(octets: bytes) -> bytes:
        at = int(start * len(octets))
        return octets[: at + length] + octets[at:]

    return mutate


_PLACE = st.floats(0, 1, exclude_max=True)
# Headers lie in front, and that is where damage is interesting.
_FRONT = st.floats(0, 0.05, exclude_max=True)
_ANYWHERE = st.one_of(_PLACE, _FRONT)

mutations: st.SearchStrategy[list[Mutation]] = st.lists(
    st.one_of(
        st.builds(_flip, _ANYWHERE, st.integers(1, 255)),
        st.builds(_cut, st.just(0.0), _PLACE),
        st.builds(_cut, _FRONT, st.just(1.0)),
        st.builds(_splice, _ANYWHERE, st.binary(max_size=6), st.integers(0, 6)),
        st.builds(_repeat, _ANYWHERE, st.integers(1, 40)),
    ),
    min_size=1,
    max_size=3,
)


def damage(octets: bytes, steps: list[Mutation]) -> bytes:
    """Apply the mutations one after the other."""
    for step in steps:
        octets = step(octets)
    return octets
