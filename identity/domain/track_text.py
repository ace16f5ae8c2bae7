"""Reading the ladders of a policy pack from its TOML.

Owns which keys a ladder has and what each may say. The rest of a pack is `policy_text`'s, and how a
value is refused `policy_section`'s.
"""

from datetime import timedelta

from identity.domain.message_text import TextError
from identity.domain.notice import check_template
from identity.domain.policy import (
    Assurance,
    Bilingual,
    CaseCause,
    Exemption,
    PolicyPackError,
    Step,
    StepKind,
    Track,
)
from identity.domain.policy_section import SOURCE_KEYS, Section, bilingual_of, source_of

_TRACK_KEYS = SOURCE_KEYS | {
    *("causes", "steps", "assurance", "cure", "notice"),
    *("execute_within_hours", "primary_extra_hours"),
}
_OPTIONAL_TRACK_KEYS = frozenset({"primary_notice", "waits_for_notices", "exempt"})
_EXEMPTION_BOUNDS = frozenset({"activated_from", "activated_before"})


def tracks_of(pack: Section, version: str) -> dict[str, Track]:
    """The ladders of a pack, by name.

    Raises:
        PolicyPackError: Anything missing, unknown, out of range or contradictory.
    """
    bodies = pack.named_tables("tracks", required=_TRACK_KEYS, optional=_OPTIONAL_TRACK_KEYS)
    tracks = {name: _track(name, body, version) for name, body in bodies}
    for cause in CaseCause:
        owners = [track.name for track in tracks.values() if cause in track.causes]
        if len(owners) > 1:
            raise PolicyPackError(f"cause {cause} needs one track, has {', '.join(owners)}")
    return tracks


def _track(name: str, body: Section, version: str) -> Track:
    source = source_of(body)
    cure = bilingual_of(body, "cure")
    notice = _notice(body, "notice", cure=cure)
    has_own = "primary_notice" in body
    return Track(
        name=name,
        policy_version=version,
        causes=body.words("causes", CaseCause),
        steps=_steps(body),
        citation=source.citation,
        is_unconfirmed=source.is_unconfirmed,
        assurance=body.word("assurance", Assurance),
        cure=cure,
        notice=notice,
        primary_notice=_notice(body, "primary_notice", cure=cure) if has_own else notice,
        execute_within=_execute_within(body),
        primary_extra=body.hours("primary_extra_hours"),
        waits_for_notices=body.flag("waits_for_notices", otherwise=False),
        exemptions=_exemptions(body) if "exempt" in body else (),
    )


def _execute_within(body: Section) -> timedelta:
    within = body.hours("execute_within_hours")
    if not within:
        raise body.fault("execute_within_hours", " must be above 0: nothing is done in no time")
    return within


def _notice(body: Section, key: str, *, cure: Bilingual) -> Bilingual:
    notice = bilingual_of(body, key)
    try:
        check_template(notice, cure=cure)
    except TextError as error:
        raise body.fault(key, f".{error}") from error
    return notice


def _steps(body: Section) -> tuple[Step, ...]:
    rows = body.tables("steps", required={"kind", "after_hours"}, optional={"by_wave"})
    steps = tuple(_step(row) for row in rows)
    if not steps:
        raise body.fault("steps", " is empty")
    severity = [list(StepKind).index(step.kind) for step in steps]
    if severity != sorted(severity):
        raise body.fault("steps", " must grow stricter, never milder")
    blocking = [step.kind for step in steps if step.kind is not StepKind.NOTIFY]
    if len(blocking) != len(set(blocking)):
        raise body.fault("steps", " takes the same blocking step twice")
    # A case remembers one wave, to be put back where it stood before.
    if sum(step.is_by_wave for step in steps) > 1:
        raise body.fault("steps", " leaves more than one step to waves")
    return steps


def _step(row: Section) -> Step:
    kind = row.word("kind", StepKind)
    is_by_wave = row.flag("by_wave", otherwise=False)
    if is_by_wave and kind is StepKind.NOTIFY:
        raise row.fault("by_wave", ": a notice is given by the clock, not by a wave")
    return Step(kind=kind, after=row.hours("after_hours"), is_by_wave=is_by_wave)


def _exemptions(body: Section) -> tuple[Exemption, ...]:
    rows = body.tables("exempt", required={"citation"}, optional=_EXEMPTION_BOUNDS)
    return tuple(_exemption(row) for row in rows)


def _exemption(row: Section) -> Exemption:
    begin = row.day("activated_from") if "activated_from" in row else None
    end = row.day("activated_before") if "activated_before" in row else None
    if begin is None and end is None:
        raise PolicyPackError(f"{row.place} needs activated_from or activated_before")
    if begin is not None and end is not None and end <= begin:
        raise row.fault("activated_before", " must lie after activated_from")
    return Exemption(activated_from=begin, activated_before=end, citation=row.text("citation"))
