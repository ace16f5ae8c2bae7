"""The keys of chips: taken anew or shared round, and answering one length of nonce."""

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from telco_sim.chip_keys import ChipKeys, answer, new_chip_key

NONCE = bytes.fromhex("0123456789abcdef")


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return new_chip_key()


def test_two_answers_to_one_nonce_differ(key: rsa.RSAPrivateKey) -> None:
    assert answer(NONCE, key=key) != answer(NONCE, key=key)


@pytest.mark.parametrize("length", [0, 7, 9, 32])
def test_a_nonce_of_another_length_is_refused(key: rsa.RSAPrivateKey, length: int) -> None:
    with pytest.raises(ValueError, match="8 bytes"):
        answer(bytes(length), key=key)


def test_shared_keys_go_round_evenly() -> None:
    shared = ChipKeys(2)
    taken = [shared.take() for _ in range(6)]
    assert sorted(taken.count(each) for each in set(taken)) == [3, 3]
