"""The authorities that call the service: population authority and regulator.

Owns what each of them asks, in words of its own trade. It refuses to know why: scenarios do.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from google.protobuf.duration_pb2 import Duration

from subid.v1.agency_pb2 import Purpose
from subid.v1.agency_service_pb2 import Agency as RegisteredAgency
from subid.v1.agency_service_pb2 import (
    Grant,
    RegisterAgencyRequest,
    RegisterAgencyResponse,
    ResumeLookupsRequest,
    ResumeLookupsResponse,
    Right,
)
from subid.v1.compliance_service_pb2 import (
    GetKpisRequest,
    GetKpisResponse,
    GetMonthlyScoreRequest,
    GetMonthlyScoreResponse,
)
from subid.v1.enforcement_service_pb2 import (
    DIRECTIVE_KIND_BLOCK_OUTGOING,
    AdvanceEnforcementRequest,
    AdvanceEnforcementResponse,
    ExplainSubscriptionRequest,
    ExplainSubscriptionResponse,
)
from subid.v1.imports_pb2 import ImportSummary
from subid.v1.localized_text_pb2 import LocalizedText
from subid.v1.notification_service_pb2 import (
    MessageUrgency,
    RegisterTemplateRequest,
    RegisterTemplateResponse,
    Template,
)
from subid.v1.population_service_pb2 import (
    AcknowledgeSubscriberUpdatesRequest,
    AcknowledgeSubscriberUpdatesResponse,
    ApplyPopulationChangesRequest,
    ApplyPopulationChangesResponse,
    ImportPopulationRequest,
    ImportPopulationResponse,
    PopulationChange,
    PopulationRecord,
    PullSubscriberUpdatesRequest,
    PullSubscriberUpdatesResponse,
    SubscriberUpdate,
    SubscriberUpdateAcknowledgement,
    SubscriberUpdateResult,
)
from subid.v1.quality_service_pb2 import GetReportRequest, GetReportResponse
from subid.v1.wave_service_pb2 import (
    ApproveWaveRequest,
    ApproveWaveResponse,
    ExecuteWaveRequest,
    ExecuteWaveResponse,
    PreviewWaveRequest,
    PreviewWaveResponse,
    Wave,
    WaveCriteria,
)
from telco_sim.agencies import LEGAL_BASIS
from telco_sim.disputes import DisputeDesk
from telco_sim.messages import date_message, instant_message
from telco_sim.wire import Caller, new_request_id

_SLICES_AT_ONCE = 10

_LETTER_LENGTH_MAX = 160
"""UTF-16 units; the simulation's templates and files are much shorter."""

_RECORDS_PER_BATCH = 500
"""Far below the contract's 5,000, so that a small country still travels in several batches."""


class PopulationAuthority:
    """Keeps the register that everything else is compared with."""

    def __init__(self, caller: Caller) -> None:
        """Take the connection of a caller with the role `population`."""
        self._caller = caller

    def import_records(self, records: Sequence[PopulationRecord]) -> ImportSummary:
        """Send records in batches and return the reconciliation.

        Raises:
            Refusal: The service said no.
        """
        request_id = new_request_id()
        batches = [
            ImportPopulationRequest(
                request_id=request_id,
                batch_index=start // _RECORDS_PER_BATCH,
                records=records[start : start + _RECORDS_PER_BATCH],
            )
            for start in range(0, len(records), _RECORDS_PER_BATCH)
        ]
        response: ImportPopulationResponse = self._caller.ask_stream(
            self._caller.population.ImportPopulation, batches
        )
        return response.summary

    def apply(self, *changes: PopulationChange) -> ApplyPopulationChangesResponse:
        """Report changes that belong together.

        Raises:
            Refusal: The service said no; then none was applied.
        """
        response: ApplyPopulationChangesResponse = self._caller.ask(
            self._caller.population.ApplyPopulationChanges,
            ApplyPopulationChangesRequest(request_id=new_request_id(), changes=changes),
        )
        return response

    def pull_updates(self, count_max: int, *, lease: timedelta) -> PullSubscriberUpdatesResponse:
        """Lease what the register is owed.

        Raises:
            Refusal: The service said no.
        """
        lease_duration = Duration()
        lease_duration.FromTimedelta(lease)
        response: PullSubscriberUpdatesResponse = self._caller.ask(
            self._caller.population.PullSubscriberUpdates,
            PullSubscriberUpdatesRequest(
                request_id=new_request_id(),
                update_count_max=count_max,
                lease_duration=lease_duration,
            ),
        )
        return response

    def acknowledge_updates(
        self, lease_id: str, updates: Sequence[SubscriberUpdate]
    ) -> list[SubscriberUpdateResult]:
        """Say that leased updates are entered; return one result for each.

        Raises:
            Refusal: The service said no to the acknowledgement as a whole.
        """
        response: AcknowledgeSubscriberUpdatesResponse = self._caller.ask(
            self._caller.population.AcknowledgeSubscriberUpdates,
            AcknowledgeSubscriberUpdatesRequest(
                request_id=new_request_id(),
                lease_id=lease_id,
                acknowledgements=[
                    SubscriberUpdateAcknowledgement(
                        personal_id=each.personal_id,
                        subscription_id=each.subscription_id,
                        sequence=each.sequence,
                    )
                    for each in updates
                ],
            ),
        )
        return list(response.results)


class Regulator:
    """Runs enforcement and waves, asks why, and reads how good the data are."""

    def __init__(self, caller: Caller) -> None:
        """Take the connection of a caller with the role `regulator`."""
        self.disputes = DisputeDesk(caller)
        self._caller = caller

    def advance(self, to: datetime | None = None) -> AdvanceEnforcementResponse:
        """Run what is due up to an instant; without one, up to the service's own now.

        Raises:
            Refusal: The service said no.
        """
        response: AdvanceEnforcementResponse = self._caller.ask(
            self._caller.enforcement.AdvanceEnforcement,
            AdvanceEnforcementRequest(
                request_id=new_request_id(),
                as_of_time=None if to is None else instant_message(to),
            ),
        )
        return response

    def register_agency(
        self, name: str, grants: Mapping[Purpose, Sequence[Right]], *, people_per_day_max: int
    ) -> RegisteredAgency:
        """Register an agency, with its rights for each purpose, by one article of law.

        Raises:
            Refusal: The service said no.
        """
        granted = [
            Grant(
                purpose=purpose,
                legal_bases=[LEGAL_BASIS],
                rights=rights,
                people_per_day_max=people_per_day_max,
            )
            for purpose, rights in grants.items()
        ]
        response: RegisterAgencyResponse = self._caller.ask(
            self._caller.agencies.RegisterAgency,
            RegisterAgencyRequest(request_id=new_request_id(), name=name, grants=granted),
        )
        return response.agency

    def resume_lookups(self, caller: str) -> bool:
        """Let a caller look people and numbers up again; returns whether it was stopped.

        Raises:
            Refusal: The service said no.
        """
        response: ResumeLookupsResponse = self._caller.ask(
            self._caller.agencies.ResumeLookups,
            ResumeLookupsRequest(request_id=new_request_id(), caller=caller),
        )
        return response.was_stopped

    def approve_template(
        self, agency: str, name: str, urgency: MessageUrgency, text: LocalizedText
    ) -> Template:
        """Approve what an agency may write.

        Raises:
            Refusal: The service said no.
        """
        response: RegisterTemplateResponse = self._caller.ask(
            self._caller.notifications.RegisterTemplate,
            RegisterTemplateRequest(
                request_id=new_request_id(),
                agency=agency,
                name=name,
                urgency=urgency,
                text_vi=text.vi,
                text_en=text.en,
                length_max=_LETTER_LENGTH_MAX,
            ),
        )
        return response.template

    def explain(self, msisdn: str) -> ExplainSubscriptionResponse:
        """Ask why a subscription is in its state.

        Raises:
            Refusal: The service said no.
        """
        response: ExplainSubscriptionResponse = self._caller.ask(
            self._caller.enforcement.ExplainSubscription, ExplainSubscriptionRequest(msisdn=msisdn)
        )
        return response

    def preview_wave(self, *, track: str, has_primaries: bool) -> PreviewWaveResponse:
        """Try dry to block what waits for it on a ladder.

        Raises:
            Refusal: The service said no.
        """
        criteria = WaveCriteria(
            track=track, step=DIRECTIVE_KIND_BLOCK_OUTGOING, has_primaries=has_primaries
        )
        response: PreviewWaveResponse = self._caller.ask(
            self._caller.waves.PreviewWave,
            PreviewWaveRequest(request_id=new_request_id(), criteria=criteria),
        )
        return response

    def approve_wave(self, wave_id: str) -> Wave:
        """Approve a wave.

        Raises:
            Refusal: The service said no.
        """
        response: ApproveWaveResponse = self._caller.ask(
            self._caller.waves.ApproveWave,
            ApproveWaveRequest(request_id=new_request_id(), wave_id=wave_id),
        )
        return response.wave

    def execute_wave(self, wave_id: str) -> Wave:
        """Execute the next slices of a wave.

        Raises:
            Refusal: The service said no.
        """
        response: ExecuteWaveResponse = self._caller.ask(
            self._caller.waves.ExecuteWave,
            ExecuteWaveRequest(
                request_id=new_request_id(), wave_id=wave_id, slice_count_max=_SLICES_AT_ONCE
            ),
        )
        return response.wave

    def quality_report(self, *, trend_days: int) -> GetReportResponse:
        """Read how good the data of all operators are.

        Raises:
            Refusal: The service said no, or has measured nothing yet.
        """
        response: GetReportResponse = self._caller.ask(
            self._caller.quality.GetReport, GetReportRequest(trend_days=trend_days)
        )
        return response

    def kpis(self, first: date, last: date) -> GetKpisResponse:
        """Read how all operators obeyed from one day to another.

        Raises:
            Refusal: The service said no.
        """
        response: GetKpisResponse = self._caller.ask(
            self._caller.compliance.GetKpis,
            GetKpisRequest(first_day=date_message(first), last_day=date_message(last)),
        )
        return response

    def monthly_score(self, month: date) -> GetMonthlyScoreResponse:
        """Read the scores of the month of a day.

        Raises:
            Refusal: The service said no.
        """
        response: GetMonthlyScoreResponse = self._caller.ask(
            self._caller.compliance.GetMonthlyScore,
            GetMonthlyScoreRequest(year=month.year, month=month.month),
        )
        return response
