"""What a citizen app shows for its citizens in tests: assertions, signed as an issuer signs them.

Owns an issuer of this process, and the interceptor that puts an assertion for whoever acts into
each call of an app's channel. Knows no use case, and shares no code with what verifies.
"""

import base64
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path
from ssl import PEM_cert_to_DER_cert
from typing import Any, NamedTuple
from uuid import uuid4

import grpc
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey

ISSUER = "https://issuer.test"
LIFETIME_S = 240
NOBODY = "000000000000"
"""Whom an app shows where a request names no person."""

_PEOPLE = ("acting_personal_id", "guardian_personal_id", "claimant_personal_id", "personal_id")
_PERSONAL_ID = re.compile(r"[0-9]{12}", re.ASCII)
_SESSIONS: dict[str, str] = {}
"""Who opened which session: the requests that go on with it name nobody."""


class Details(NamedTuple):
    """What grpc wants to be told of a call, with our metadata."""

    method: str
    timeout: float | None
    metadata: Any
    credentials: Any
    wait_for_ready: bool | None
    compression: Any


@lru_cache(maxsize=1)
def issuer_key() -> OKPKey:
    """The key of this process's issuer."""
    return OKPKey.generate_key("Ed25519", {"kid": str(uuid4()), "use": "sig"})


@cache
def trust_issuer(state: Path) -> None:
    """Have the server of a state directory believe the issuer, by a file for it."""
    key = issuer_key()
    folder = state / "issuers"
    folder.mkdir(parents=True, exist_ok=True)
    scratch = folder / f".{key.kid}"
    scratch.write_text(json.dumps({"issuer": ISSUER, "keys": [key.as_dict(private=False)]}))
    scratch.replace(folder / "tests.json")


def claims_for(person: str, certificate: bytes, **others: Any) -> dict[str, Any]:  # noqa: ANN401 - any claim
    """The claims that prove a person to be there, for whoever has a certificate (PEM)."""
    digest = hashlib.sha256(PEM_cert_to_DER_cert(certificate.decode())).digest()
    now = int(time.time())
    return {
        "iss": ISSUER,
        "aud": "subid",
        "sub": person,
        "iat": now,
        "exp": now + LIFETIME_S,
        "jti": str(uuid4()),
        "cnf": {"x5t#S256": base64.urlsafe_b64encode(digest).decode().rstrip("=")},
    } | others


def assertion(
    claims: Mapping[str, Any],
    *,
    key: OKPKey | ECKey | None = None,
    **header: Any,  # noqa: ANN401 - any member
) -> str:
    """A signed assertion."""
    signer = key or issuer_key()
    members = {"alg": "Ed25519", "typ": "subid-citizen+jwt", "kid": signer.kid} | header
    content = json.dumps(claims).encode()
    return jws.serialize_compact(members, content, signer, algorithms=["Ed25519", "ES256"])


def asserting(channel: grpc.Channel, state: Path, certificate: bytes) -> grpc.Channel:
    """A channel of a citizen app, each call of which shows who acts in it.

    Args:
        channel: The app's connection.
        state: The state directory of the server, which is told of the issuer.
        certificate: The app's certificate, PEM.
    """
    trust_issuer(state)
    return grpc.intercept_channel(channel, CitizenShown(certificate))


class CitizenShown(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """Shows in each call the person whom its request names."""

    def __init__(self, certificate: bytes) -> None:
        self._certificate = certificate

    def intercept_unary_unary(
        self,
        continuation: Callable[..., Any],
        client_call_details: Any,  # noqa: ANN401 - grpc's types
        request: Any,  # noqa: ANN401 - as above
    ) -> Any:  # noqa: ANN401 - as above
        """Show who acts, and remember whose session is opened."""
        person = acting_person(request)
        answer = continuation(self._shown(client_call_details, person), request)
        if client_call_details.method.endswith("/StartVerification"):
            answer.add_done_callback(lambda done: _remember(done, person))
        return answer

    def intercept_unary_stream(
        self,
        continuation: Callable[..., Any],
        client_call_details: Any,  # noqa: ANN401 - as above
        request: Any,  # noqa: ANN401 - as above
    ) -> Any:  # noqa: ANN401 - as above
        """Show who acts."""
        return continuation(self._shown(client_call_details, acting_person(request)), request)

    def intercept_stream_unary(
        self,
        continuation: Callable[..., Any],
        client_call_details: Any,  # noqa: ANN401 - as above
        request_iterator: Iterator[Any],
    ) -> Any:  # noqa: ANN401 - as above
        """Show who acts in the first request."""
        return self._streamed(continuation, client_call_details, request_iterator)

    def intercept_stream_stream(
        self,
        continuation: Callable[..., Any],
        client_call_details: Any,  # noqa: ANN401 - as above
        request_iterator: Iterator[Any],
    ) -> Any:  # noqa: ANN401 - as above
        """Show who acts in the first request."""
        return self._streamed(continuation, client_call_details, request_iterator)

    def _streamed(
        self,
        continuation: Callable[..., Any],
        details: Any,  # noqa: ANN401 - as above
        requests: Iterator[Any],
    ) -> Any:  # noqa: ANN401 - as above
        first = next(requests)
        shown = self._shown(details, acting_person(first))
        return continuation(shown, chain([first], requests))

    def _shown(self, details: Any, person: str) -> Details:  # noqa: ANN401 - as above
        given = list(details.metadata or ())
        if not any(name == "authorization" for name, _ in given):
            token = assertion(claims_for(person, self._certificate))
            given.append(("authorization", f"Bearer {token}"))
        return Details(
            details.method,
            details.timeout,
            given,
            details.credentials,
            details.wait_for_ready,
            details.compression,
        )


def acting_person(request: Any) -> str:  # noqa: ANN401 - a message, or bytes that are none
    """Who acts in a request."""
    for field in _PEOPLE:
        named = getattr(request, field, "")
        if _PERSONAL_ID.fullmatch(named):
            return str(named)
    return _SESSIONS.get(getattr(request, "verification_id", ""), NOBODY)


def _remember(done: Any, person: str) -> None:  # noqa: ANN401 - grpc's types
    if done.exception() is None:
        _SESSIONS[done.result().verification_id] = person
