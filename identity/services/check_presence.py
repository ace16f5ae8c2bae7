"""Check a presence token without the service that signed it.

Owns that a signature is judged before a claim is read. Needs no database and no network: public
keys, a name and a clock.
"""

import json
from collections.abc import Mapping
from datetime import datetime

from identity.domain.presence import PresenceToken, TokenFault, TokenRefusedError, read_claims
from identity.security.service_signing import SigningPurpose, open_signed


def check_presence(
    token: str, keys: Mapping[str, bytes], *, audience: str, at: datetime
) -> PresenceToken:
    """What a token says, if it counts.

    Args:
        token: As the agency was given it.
        keys: Public keys by their names, as `parse_key_set` reads them.
        audience: The agency's own name.
        at: Now; a clock that is `CLOCK_SKEW_MAX` off does no harm.

    Raises:
        SignatureRefusedError: The service did not sign it, or not for this.
        TokenRefusedError: It is for somebody else, or its time is over.
    """
    signed = open_signed(token, keys, purpose=SigningPurpose.PRESENCE)
    try:
        claims = json.loads(signed)
    except ValueError as error:
        raise TokenRefusedError(TokenFault.CLAIMS_MALFORMED, "no claims were signed") from error
    return read_claims(claims, audience=audience, at=at)
