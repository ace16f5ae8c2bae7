"""WaveService on the wire."""

from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

from identity.domain.policy import StepKind
from identity.domain.wave import Wave, WaveCriteria, WavePreview, WaveState
from identity.rpc import encode
from identity.rpc.edge import Edge
from identity.services.call import Call
from identity.services.execute_wave import end_execution, execute_slices
from identity.services.revert_wave import revert_wave
from identity.services.waves import approve_wave, get_wave, preview_wave, stop_wave
from identity.storage.database import UnitOfWork
from subid.v1 import wave_service_pb2 as pb
from subid.v1 import wave_service_pb2_grpc

_STATES: Mapping[WaveState, "pb.WaveState"] = MappingProxyType(
    {
        WaveState.PREVIEWED: pb.WAVE_STATE_PREVIEWED,
        WaveState.APPROVED: pb.WAVE_STATE_APPROVED,
        WaveState.RUNNING: pb.WAVE_STATE_RUNNING,
        WaveState.STOPPED: pb.WAVE_STATE_STOPPED,
        WaveState.COMPLETED: pb.WAVE_STATE_COMPLETED,
        WaveState.REVERTED: pb.WAVE_STATE_REVERTED,
    }
)
_STEPS: Mapping[int, StepKind] = {kind: step for step, kind in encode.STEP_KINDS.items()}
_CAUSES = {number: cause for cause, number in encode.CASE_CAUSES.items()}


class WaveServicer(wave_service_pb2_grpc.WaveServiceServicer):
    """Decodes, calls the service, encodes."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    def PreviewWave(self, request: pb.PreviewWaveRequest, call: Call) -> pb.PreviewWaveResponse:
        """Count what a wave would do."""
        criteria = _criteria(request.criteria)

        def preview(uow: UnitOfWork) -> pb.PreviewWaveResponse:
            wave = preview_wave(uow, call, criteria)
            return pb.PreviewWaveResponse(wave_id=str(wave.wave_id), preview=_preview(wave.preview))

        return self._edge.answer_once(request, call, preview, pb.PreviewWaveResponse)

    def ApproveWave(self, request: pb.ApproveWaveRequest, call: Call) -> pb.ApproveWaveResponse:
        """Approve."""
        wave_id = UUID(request.wave_id)
        return self._edge.answer_once(
            request,
            call,
            lambda uow: pb.ApproveWaveResponse(wave=_wave(approve_wave(uow, call, wave_id))),
            pb.ApproveWaveResponse,
        )

    def ExecuteWave(self, request: pb.ExecuteWaveRequest, call: Call) -> pb.ExecuteWaveResponse:
        """Execute the next slices."""
        wave_id = UUID(request.wave_id)

        return self._edge.answer_in_parts(
            request,
            call,
            lambda: execute_slices(
                self._edge.transactions, call, wave_id, slice_count_max=request.slice_count_max
            ),
            lambda uow, _: pb.ExecuteWaveResponse(wave=_wave(end_execution(uow, call, wave_id))),
            pb.ExecuteWaveResponse,
        )

    def StopWave(self, request: pb.StopWaveRequest, call: Call) -> pb.StopWaveResponse:
        """Stop."""
        wave_id = UUID(request.wave_id)
        return self._edge.answer_once(
            request,
            call,
            lambda uow: pb.StopWaveResponse(
                wave=_wave(stop_wave(uow, call, wave_id, request.reason))
            ),
            pb.StopWaveResponse,
        )

    def RevertWave(self, request: pb.RevertWaveRequest, call: Call) -> pb.RevertWaveResponse:
        """Put back."""
        wave_id = UUID(request.wave_id)

        return self._edge.answer_in_parts(
            request,
            call,
            lambda: revert_wave(self._edge.transactions, call, wave_id, reason=request.reason),
            lambda _uow, wave: pb.RevertWaveResponse(wave=_wave(wave)),
            pb.RevertWaveResponse,
        )

    def GetWave(self, request: pb.GetWaveRequest, call: Call) -> pb.GetWaveResponse:
        """Say where a wave stands."""
        wave = self._edge.transactions.run(lambda uow: get_wave(uow, call, UUID(request.wave_id)))
        return pb.GetWaveResponse(wave=_wave(wave))


def _criteria(message: pb.WaveCriteria) -> WaveCriteria:
    return WaveCriteria(
        track=message.track,
        step=_STEPS[message.step],
        operators=tuple(dict.fromkeys(message.operators)),
        province_codes=tuple(dict.fromkeys(message.province_codes)),
        causes=tuple(dict.fromkeys(_CAUSES[cause] for cause in message.causes)),
        subscription_count_max=message.subscription_count_max,
        has_primaries=message.has_primaries,
    )


def _preview(preview: WavePreview) -> pb.WavePreview:
    return pb.WavePreview(
        subscription_count=preview.subscription_count,
        by_operator=_counts(preview.by_operator),
        by_province=_counts(preview.by_province),
        by_age=_counts(preview.by_age),
        primary_count=preview.primary_count,
        last_number_count=preview.last_number_count,
        recently_verified_count=preview.recently_verified_count,
        held_count=preview.held_count,
    )


def _counts(counts: Mapping[str, int]) -> list[pb.WaveCount]:
    # In one order: what is kept of a preview has lost the order in which it was counted.
    ordered = sorted(counts.items())
    return [pb.WaveCount(name=name, subscription_count=count) for name, count in ordered]


def _wave(wave: Wave) -> pb.Wave:
    criteria = wave.criteria
    return pb.Wave(
        wave_id=str(wave.wave_id),
        criteria=pb.WaveCriteria(
            track=criteria.track,
            step=encode.STEP_KINDS[criteria.step],
            operators=criteria.operators,
            province_codes=criteria.province_codes,
            causes=[encode.CASE_CAUSES[cause] for cause in criteria.causes],
            subscription_count_max=criteria.subscription_count_max,
            has_primaries=criteria.has_primaries,
        ),
        state=_STATES[wave.state],
        creator=wave.creator,
        create_time=encode.timestamp(wave.created_at),
        approvers=wave.approvers,
        preview=_preview(wave.preview),
        slice_done_count=len(wave.done),
        slice_count=wave.slice_count,
        directive_count=wave.directive_count,
        reverted_count=wave.reverted_count,
        reason=wave.reason,
    )
