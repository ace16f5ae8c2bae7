"""Enrolled faces: the reference of each verified citizen, sealed with the citizen's own secret.

Owns the rows of `face_reference`. Knows nothing of faces: templates and portraits are bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial

from sqlalchemy import Connection, RowMapping, Select, func, select, update
from sqlalchemy.dialects.postgresql import insert

from identity.domain.personal_id import PersonalID
from identity.storage.citizen_secrets import CitizenSecrets
from identity.storage.citizens import citizen_key
from identity.storage.sealing import Sealer
from identity.storage.tables import face_reference


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceReference:
    """What is kept of one citizen's face.

    Attributes:
        template: The face as the network made it.
        model_digest: Mark of that network, its precision and views.
        portrait: The portrait of the chip, to enrol again when the network changes.
        card_issued_on: When the card, and with it the portrait, was issued, if the chip says.
    """

    template: bytes = field(repr=False)
    model_digest: str
    portrait: bytes = field(repr=False)
    card_issued_on: date | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReference:
    """A reference under the key that stands for its citizen.

    Attributes:
        citizen_key: The key.
        reference: What is kept.
        mark: Of this writing: each one seals anew, so no two are alike.
    """

    citizen_key: bytes
    reference: FaceReference
    mark: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class FaceReferences:
    """The enrolled faces of one transaction."""

    connection: Connection
    sealer: Sealer

    def save(self, personal_id: PersonalID, reference: FaceReference, *, at: datetime) -> None:
        """Enrol a citizen's face in place of the one that was there."""
        key = citizen_key(self.sealer, personal_id)
        issued_on = reference.card_issued_on
        seal = partial(self.sealer.seal, secret=self._secrets.obtain(key))
        values = {
            "template_sealed": seal(reference.template, context=_template_place(key)),
            "model_digest": reference.model_digest,
            "portrait_sealed": seal(reference.portrait, context=_portrait_place(key)),
            "card_issued_on_sealed": None
            if issued_on is None
            else seal(issued_on.isoformat().encode(), context=_day_place(key)),
            "updated_at": at,
        }
        statement = insert(face_reference).values(citizen_key=key, enrolled_at=at, **values)
        self.connection.execute(
            statement.on_conflict_do_update(
                index_elements=[face_reference.c.citizen_key], set_=values
            )
        )

    def find(self, personal_id: PersonalID) -> FaceReference | None:
        """A citizen's enrolled face, if any."""
        key = citizen_key(self.sealer, personal_id)
        query = select(face_reference).where(face_reference.c.citizen_key == key)
        row = self.connection.execute(query).mappings().one_or_none()
        return None if row is None else self._reference(row, self._secrets.find([key]).get(key))

    def count_outdated(self, *, model_digest: str) -> int:
        """How many faces other networks enrolled."""
        query = select(func.count()).select_from(face_reference)
        counted: int = self.connection.execute(
            query.where(face_reference.c.model_digest != model_digest)
        ).scalar_one()
        return counted

    def draw_templates(self, *, model_digest: str, start: bytes, limit: int) -> list[bytes]:
        """Templates of citizens whose keys follow a point, beginning again at the lowest key.

        Keys are keyed digests of personal IDs, without any order of people: whoever follows a
        random point is a random sample, found without reading the others.
        """
        query = select(face_reference.c.citizen_key, face_reference.c.template_sealed).where(
            face_reference.c.model_digest == model_digest
        )
        rows = [*self._in_order(query.where(start <= face_reference.c.citizen_key), limit)]
        rows += self._in_order(query.where(start > face_reference.c.citizen_key), limit - len(rows))
        secrets = self._secrets.find(key for key, _ in rows)
        return [
            self.sealer.open(sealed, context=_template_place(key), secret=secrets.get(key))
            for key, sealed in rows
        ]

    def list_outdated(
        self, *, model_digest: str, after: bytes, limit: int
    ) -> Sequence[StoredReference]:
        """Faces that another network enrolled, in order of their keys, after one key."""
        query = select(face_reference).where(
            face_reference.c.model_digest != model_digest, after < face_reference.c.citizen_key
        )
        rows = (
            self.connection.execute(query.order_by(face_reference.c.citizen_key).limit(limit))
            .mappings()
            .all()
        )
        secrets = self._secrets.find(row["citizen_key"] for row in rows)
        return [
            StoredReference(
                citizen_key=row["citizen_key"],
                reference=self._reference(row, secrets.get(row["citizen_key"])),
                mark=row["template_sealed"],
            )
            for row in rows
        ]

    def replace_template(
        self, stored: StoredReference, *, template: bytes, model_digest: str, at: datetime
    ) -> bool:
        """Put a new template in the place of one.

        False: it is no longer the one that was read. A citizen who verified in between has another
        portrait, and the template must be that one's.
        """
        key = stored.citizen_key
        # Whoever was erased in between has none, and no row to change.
        secret = self._secrets.hold([key]).get(key)
        changed = self.connection.execute(
            update(face_reference)
            .where(
                face_reference.c.citizen_key == key,
                face_reference.c.template_sealed == stored.mark,
            )
            .values(
                template_sealed=self.sealer.seal(
                    template, context=_template_place(key), secret=secret
                ),
                model_digest=model_digest,
                updated_at=at,
            )
        )
        return changed.rowcount == 1

    def _in_order(
        self, query: Select[tuple[bytes, bytes]], limit: int
    ) -> Sequence[tuple[bytes, bytes]]:
        rows = self.connection.execute(query.order_by(face_reference.c.citizen_key).limit(limit))
        return [(row.citizen_key, row.template_sealed) for row in rows]

    @property
    def _secrets(self) -> CitizenSecrets:
        return CitizenSecrets(self.connection, self.sealer)

    def _reference(self, row: RowMapping, secret: bytes | None) -> FaceReference:
        key = row["citizen_key"]
        day = row["card_issued_on_sealed"]
        read = partial(self.sealer.open, secret=secret)
        return FaceReference(
            template=read(row["template_sealed"], context=_template_place(key)),
            model_digest=row["model_digest"],
            portrait=read(row["portrait_sealed"], context=_portrait_place(key)),
            card_issued_on=None
            if day is None
            else date.fromisoformat(read(day, context=_day_place(key)).decode()),
        )


def _template_place(key: bytes) -> bytes:
    return b"face_reference.template|" + key


def _portrait_place(key: bytes) -> bytes:
    return b"face_reference.portrait|" + key


def _day_place(key: bytes) -> bytes:
    return b"face_reference.card_issued_on|" + key
