"""Whatever the bytes are, a list of pairs is read or refused with a reason."""

from hypothesis import given, settings
from hypothesis import strategies as st

from biometrics.evaluation.pairs import PairsError, read_pairs

CELLS = st.text(alphabet='ab/.,"01\n\r\0é', max_size=6)


@settings(max_examples=150)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        reason, count = "", len(read_pairs(data).pairs)
    except PairsError as error:
        reason, count = str(error), 0
    assert bool(reason) != bool(count)


@settings(max_examples=150)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=6))
def test_any_cells_are_read_or_refused(rows: list[tuple[str, str, str]]) -> None:
    lines = [",".join(row) for row in rows]
    data = "\n".join(["path_a,path_b,mated", *lines]).encode()
    try:
        made = read_pairs(data)
    except PairsError as error:
        reason, agrees = str(error), []
    else:
        who = made.identities
        reason = ""
        agrees = [(who[p.path_a] == who[p.path_b]) == p.is_mated for p in made.pairs]
    assert bool(reason) != bool(agrees)
    assert all(agrees)
