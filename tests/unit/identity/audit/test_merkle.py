"""Trees and proofs, held against published vectors and the recursive definitions of RFC 9162."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.audit.merkle import (
    EMPTY_ROOT,
    GrowingTree,
    Subtree,
    consistency_ranges,
    hash_leaf,
    hash_node,
    inclusion_ranges,
    is_consistent,
    is_included,
    perfect_subtrees,
    proof_from,
)

# The test vectors of certificate-transparency and certificate-transparency-go (merkle_tree_test).
LEAVES = [
    bytes.fromhex(each)
    for each in (
        *("", "00", "10", "2021", "3031", "40414243", "5051525354555657"),
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    bytes.fromhex(each)
    for each in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
INCLUSIONS = [
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]
CONSISTENCIES = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]

trees = st.integers(1, 200).map(lambda size: [bytes([place]) for place in range(size)])


def stored(leaves: list[bytes]) -> dict[Subtree, bytes]:
    """Every perfect subtree of a tree."""
    tree = GrowingTree()
    nodes: dict[Subtree, bytes] = {}
    for place, each in enumerate(leaves):
        nodes[Subtree(0, place)] = hash_leaf(each)
        nodes |= dict(tree.append(hash_leaf(each)))
    return nodes


def proof_of(leaves: list[bytes], ranges: list[tuple[int, int]]) -> list[bytes]:
    return list(proof_from(ranges, stored(leaves)))


# The definitions, word for word (RFC 9162, 2.1.1, 2.1.3.1 and 2.1.4.1).


def split(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def naive_root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return hash_leaf(leaves[0])
    k = split(len(leaves))
    return hash_node(naive_root(leaves[:k]), naive_root(leaves[k:]))


def naive_path(place: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if place < k:
        return [*naive_path(place, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(place - k, leaves[k:]), naive_root(leaves[:k])]


def naive_subproof(old: int, leaves: list[bytes], *, is_whole: bool) -> list[bytes]:
    if old == len(leaves):
        return [] if is_whole else [naive_root(leaves)]
    k = split(len(leaves))
    if old <= k:
        return [*naive_subproof(old, leaves[:k], is_whole=is_whole), naive_root(leaves[k:])]
    return [*naive_subproof(old - k, leaves[k:], is_whole=False), naive_root(leaves[:k])]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_published_vectors(size: int) -> None:
    tree = GrowingTree()
    for each in LEAVES[:size]:
        list(tree.append(hash_leaf(each)))
    assert tree.root() == ROOTS[size]


@pytest.mark.parametrize(("index", "size", "path"), INCLUSIONS)
def test_inclusion_proofs_are_those_of_the_published_vectors(
    index: int, size: int, path: list[str]
) -> None:
    proof = proof_of(LEAVES[:size], inclusion_ranges(index, size))
    assert [each.hex() for each in proof] == path
    assert is_included(hash_leaf(LEAVES[index]), index, size, proof=proof, root=ROOTS[size])


@pytest.mark.parametrize(("old", "new", "path"), CONSISTENCIES)
def test_consistency_proofs_are_those_of_the_published_vectors(
    old: int, new: int, path: list[str]
) -> None:
    proof = proof_of(LEAVES[:new], consistency_ranges(old, new))
    assert [each.hex() for each in proof] == path
    assert is_consistent(old, ROOTS[old], new, ROOTS[new], proof=proof)


@given(trees, st.data())
def test_inclusion_proofs_are_as_defined_and_prove_one_leaf_at_one_place(
    leaves: list[bytes], data: st.DataObject
) -> None:
    size, root = len(leaves), naive_root(leaves)
    index = data.draw(st.integers(0, size - 1))
    proof = proof_of(leaves, inclusion_ranges(index, size))
    assert proof == naive_path(index, leaves)
    leaf = hash_leaf(leaves[index])
    assert is_included(leaf, index, size, proof=proof, root=root)
    assert not is_included(hash_leaf(b"other"), index, size, proof=proof, root=root)
    elsewhere = data.draw(st.integers(-1, size + 1).filter(lambda place: place != index))
    assert not is_included(leaf, elsewhere, size, proof=proof, root=root)
    assert not is_included(leaf, index, size, proof=[*proof, root], root=root)
    if proof:
        assert not is_included(leaf, index, size, proof=proof[:-1], root=root)
        assert not is_included(leaf, index, size, proof=proof[1:], root=root)


@given(trees, st.data())
def test_consistency_proofs_are_as_defined_and_prove_one_beginning(
    leaves: list[bytes], data: st.DataObject
) -> None:
    new, new_root = len(leaves), naive_root(leaves)
    old = data.draw(st.integers(0, new))
    old_root = naive_root(leaves[:old])
    proof = proof_of(leaves, consistency_ranges(old, new))
    if old:
        assert proof == naive_subproof(old, leaves, is_whole=True)
    assert is_consistent(old, old_root, new, new_root, proof=proof)
    assert not is_consistent(old, hash_leaf(b"other"), new, new_root, proof=proof)
    if old:
        assert not is_consistent(old, old_root, new, hash_leaf(b"other"), proof=proof)
    assert not is_consistent(old, old_root, new, new_root, proof=[*proof, new_root])
    if proof:
        assert not is_consistent(old, old_root, new, new_root, proof=proof[:-1])
        assert not is_consistent(old, old_root, new, new_root, proof=proof[1:])


@given(st.integers(0, 5_000), st.integers(0, 5_000))
def test_perfect_subtrees_hold_a_range_without_gap_or_overlap(one: int, other: int) -> None:
    first, end = sorted((one, other))
    covered = first
    for level, index in perfect_subtrees(first, end):
        assert index << level == covered
        covered += 1 << level
    assert covered == end


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 3), (3, 3)])
def test_a_leaf_that_is_not_there_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no such leaf"):
        inclusion_ranges(index, size)


@pytest.mark.parametrize(("old", "new"), [(-1, 3), (4, 3)])
def test_a_tree_does_not_begin_with_a_larger_one(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="smaller"):
        consistency_ranges(old, new)
    assert not is_consistent(old, EMPTY_ROOT, new, EMPTY_ROOT, proof=[])
