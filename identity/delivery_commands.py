"""`identity deliver`: an operator's messages from the service to its message centre.

Owns the command. It runs on the operator's side, as the operator. Heavy modules are imported
inside, so that `--help` is quick.
"""

import asyncio
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from identity.client_way import (
    AddressOption,
    AuthorityOption,
    CertificateOption,
    KeyOption,
    Way,
    settings_and_keys,
)
from identity.command_line import StateOption, fail, refusals_in_one_line
from identity.domain.caller import Role

if TYPE_CHECKING:
    from identity.delivery.smpp import Centre
    from identity.security.client_keys import ClientKeys

PASSWORD_VARIABLE = "SMPP_PASSWORD"  # noqa: S105 - the name of a variable
"""Not an option: whoever lists processes would read it."""

PORT_DEFAULT = 2775
"""Of SMPP, as registered with IANA."""

JOURNAL = "deliveries.sqlite"


def deliver(  # noqa: PLR0913 - each parameter is an option of the command
    *,
    smpp: Annotated[str, typer.Option(help="smpp://SYSTEM_ID@HOST[:PORT] of the message centre.")],
    sender: Annotated[str, typer.Option(help="What users see: a name, a short code, a number.")],
    language: Annotated[
        str, typer.Option(help="vi or en: of messages that their sender left open.")
    ] = "vi",
    journal: Annotated[
        Path | None, typer.Option(help="File that keeps what the centre has; needed after a crash.")
    ] = None,
    operator: Annotated[
        str | None, typer.Option(help="Instead of a certificate, here: for whom.")
    ] = None,
    address: AddressOption = None,
    certificate: CertificateOption = None,
    key: KeyOption = None,
    authority: AuthorityOption = None,
    state: StateOption = None,
) -> None:
    """Send an operator's messages by SMPP until stopped; at least once each.

    The password of the message centre is read from SMPP_PASSWORD.
    """
    centre = _centre(smpp, sender, language)
    way = Way(
        role=Role.OPERATOR,
        name=operator,
        address=address,
        files=(certificate, key, authority),
        state=state,
    )
    settings, keys = settings_and_keys(way)
    with refusals_in_one_line():
        settings.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    asyncio.run(_deliver(settings.listen, keys, centre, journal or settings.state / JOURNAL))


def _centre(url: str, sender: str, language: str) -> "Centre":
    try:
        from identity.delivery.smpp import Centre  # noqa: PLC0415 - see the module's docstring
    except ModuleNotFoundError:
        fail("this takes the extra `smpp`: pip install 'subid[smpp]'")
    parts = urlsplit(url)
    if parts.scheme != "smpp" or not parts.hostname or not parts.username:
        fail("--smpp is smpp://SYSTEM_ID@HOST[:PORT]")
    if parts.password is not None:
        fail(f"no password in --smpp, where everybody can read it: set {PASSWORD_VARIABLE}")
    if language not in {"vi", "en"}:
        fail("--language is vi or en")
    return Centre(
        host=parts.hostname,  # type: ignore[arg-type] # `fail` never returns
        port=parts.port or PORT_DEFAULT,
        system_id=parts.username,  # type: ignore[arg-type] # as above
        password=os.environ.pop(PASSWORD_VARIABLE, ""),
        sender=sender,
        language=language,
    )


async def _deliver(address: str, keys: "ClientKeys", centre: "Centre", path: Path) -> None:
    from identity.delivery.deliver import Delivery  # noqa: PLC0415 - see the module's docstring
    from identity.delivery.journal import Journal  # noqa: PLC0415 - as above
    from identity.delivery.smpp import bound  # noqa: PLC0415 - as above
    from identity.rpc.message_client import (  # noqa: PLC0415 - as above
        OutboxRefusedError,
        open_outbox,
    )

    with Journal.at(path) as journal:
        async with open_outbox(address, keys) as outbox, bound(centre) as deliverer:
            running = asyncio.create_task(
                Delivery(outbox=outbox, deliverer=deliverer, journal=journal).run()
            )
            for name in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(name, running.cancel)
            await asyncio.wait([running])
            if running.cancelled():
                return
            error = running.exception()
            refusal = (
                error.subgroup(OutboxRefusedError) if isinstance(error, ExceptionGroup) else None
            )
            if refusal is not None:
                fail(str(refusal.exceptions[0]))
            running.result()
