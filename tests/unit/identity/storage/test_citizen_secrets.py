"""A secret is made once, stays while it is used, and is gone for good when it is destroyed."""

import hashlib
from threading import Thread
from uuid import uuid4

import pytest

from identity.domain.errors import RecordUnreadableError
from identity.storage.citizen_secrets import SECRET_BYTES
from identity.storage.database import Database, UnitOfWork


def test_a_secret_is_made_once_and_found_again(uow: UnitOfWork) -> None:
    key = uuid4().bytes
    assert uow.secrets.find([key]) == {}
    made = uow.secrets.obtain(key)
    assert len(made) == SECRET_BYTES
    assert uow.secrets.obtain(key) == made
    assert uow.secrets.find([key, uuid4().bytes]) == {key: made}


def test_nobody_has_the_secret_of_another(uow: UnitOfWork) -> None:
    keys = [uuid4().bytes for _ in range(100)]
    assert len(set(uow.secrets.obtain_many(keys).values())) == len(keys)
    assert uow.secrets.obtain_many([]) == {}


def test_what_is_sealed_with_a_destroyed_secret_opens_no_more(uow: UnitOfWork) -> None:
    key = uuid4().bytes
    secret = uow.secrets.obtain(key)
    sealed = uow.sealer.seal(b"a face", context=b"here", secret=secret)
    assert uow.sealer.open(sealed, context=b"here", secret=secret) == b"a face"
    assert uow.secrets.destroy(key) == hashlib.sha256(secret).digest()
    assert uow.secrets.destroy(key) is None
    assert uow.secrets.find([key]) == {}
    for other in (None, uow.secrets.obtain(key)):
        with pytest.raises(RecordUnreadableError):
            uow.sealer.open(sealed, context=b"here", secret=other)


def test_two_at_once_get_one_secret(database: Database) -> None:
    key = uuid4().bytes
    found: list[bytes] = []

    def obtain() -> None:
        with database.transaction() as other:
            found.append(other.secrets.obtain(key))

    with database.transaction() as first:
        made = first.secrets.obtain(key)
        waiting = Thread(target=obtain)
        waiting.start()
    waiting.join()
    assert found == [made]
