"""Keep the reference of a verified citizen.

Owns what of a face is kept: the template, the portrait it was made from, the card's day of issue.
That it is kept for a verified citizen only is `complete_verification`'s to see to.
"""

from identity.services.complete_verification import ExaminedChip
from identity.services.face_pool import FaceFindings
from identity.storage.face_references import FaceReference


def reference_from(chip: ExaminedChip, findings: FaceFindings) -> FaceReference | None:
    """What is enrolled if the citizen is verified; None when no faces were compared."""
    model_digest = findings.evidence.model_digest
    if findings.template is None or chip.portrait is None or model_digest is None:
        return None
    holder = chip.evidence.holder
    return FaceReference(
        template=findings.template,
        model_digest=model_digest,
        portrait=chip.portrait,
        card_issued_on=None if holder is None else holder.card_issued_on,
    )
