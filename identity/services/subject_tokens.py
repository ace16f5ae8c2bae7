"""What an agency knows a person by in the feed of changed contacts.

Owns the form of the token. It is the same for ever for one agency and one person, says nothing by
itself, and two agencies cannot find out by it that they know the same person.
"""

from identity.storage.sealing import Sealer


def subject_token(sealer: Sealer, agency_name: str, citizen_key: bytes) -> str:
    """The token of a person, 32 hexadecimal digits.

    Args:
        sealer: Makes keyed digests.
        agency_name: As in the agency's certificate.
        citizen_key: Blind index of the personal ID, of somebody known or not.
    """
    # The key comes last and has one length: no two pairs make the same text.
    return sealer.blind_index("subject", f"{agency_name}|{citizen_key.hex()}").hex()
