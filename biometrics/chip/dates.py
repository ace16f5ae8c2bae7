"""Instants in certificates: two ASN.1 types, one aware `datetime`.

Owns that conversion only.
"""

from datetime import UTC, datetime

from cryptography.hazmat import asn1


def as_utc(instant: asn1.UTCTime | asn1.GeneralizedTime) -> datetime:
    """Return the instant, aware, in UTC (RFC 5280, clause 4.1.2.5)."""
    value = instant.as_datetime()
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
