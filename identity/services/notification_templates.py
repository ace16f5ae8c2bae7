"""The regulator approves what agencies may write.

Owns the use cases. A template is never changed, so what was sent by it was sent in its words.
"""

from collections.abc import Sequence

from identity.audit.log import AuditEntry, append
from identity.domain.errors import AgencyNotFoundError, TemplateExistsError
from identity.domain.notification import Template
from identity.services.call import Call
from identity.storage.database import UnitOfWork


def register_template(uow: UnitOfWork, call: Call, template: Template) -> Template:
    """Approve a template; the same again is the first one.

    Raises:
        RequestInvalidError: Its words could not be filled, or not in both languages alike.
        AgencyNotFoundError: No such agency is registered.
        TemplateExistsError: It has one of this name that says something else.
    """
    template.refuse_unfit()
    if uow.agencies.find(template.agency) is None:
        raise AgencyNotFoundError("no such agency is registered")
    kept = uow.notifications.add_template(template, by=str(call.caller))
    if not kept.says_as(template):
        raise TemplateExistsError("the agency has a template of this name with other words")
    entry = AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="register_template",
        outcome="approved",
        details={"agency": template.agency, "template": template.name},
    )
    append(uow.connection, [entry])
    return kept


def list_templates(uow: UnitOfWork, agency: str, *, after: str, limit: int) -> Sequence[Template]:
    """An agency's templates in the order of their names, those after one name."""
    return uow.notifications.list_templates(agency, after=after, limit=limit)
