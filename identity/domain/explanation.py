"""Why a number is on a ladder, in sentences for the citizen.

Owns the words for causes and steps in both languages. Knows no case but the one it is told of.
"""

from collections.abc import Mapping
from datetime import datetime

from identity.domain.calendar_date import DAY_ZONE
from identity.domain.enforcement import Case, next_block
from identity.domain.notice import STEP_WORDS
from identity.domain.policy import Bilingual, CaseCause, Track

_CAUSE_WORDS: Mapping[CaseCause, Bilingual] = {
    CaseCause.UNVERIFIED: Bilingual(
        vi="người đứng tên số chưa được xác thực", en="its holder was never verified"
    ),
    CaseCause.MISMATCHED: Bilingual(
        vi="họ tên hoặc ngày sinh không khớp dữ liệu dân cư",
        en="the name or birth date differs from the population record",
    ),
    CaseCause.NOT_FOUND: Bilingual(
        vi="số định danh cá nhân không có trong dữ liệu dân cư",
        en="the personal ID is in no population record",
    ),
    CaseCause.DECEASED: Bilingual(vi="người đứng tên số đã mất", en="its holder has died"),
    CaseCause.DEVICE_CHANGE: Bilingual(
        vi="SIM được chuyển sang thiết bị khác", en="its SIM is in another device"
    ),
    CaseCause.DISOWNED: Bilingual(
        vi="người đứng tên báo đây không phải số của mình", en="its holder says it is not theirs"
    ),
    CaseCause.SIM_SWAP: Bilingual(vi="số được đổi SIM", en="it has another SIM"),
    CaseCause.FACE_UNDER_ANOTHER_ID: Bilingual(
        vi="khuôn mặt đã xác thực dưới một số định danh khác",
        en="its holder's face was verified under another personal ID",
    ),
    CaseCause.OPERATOR_REPORT: Bilingual(
        vi="nhà mạng yêu cầu xác thực lại", en="its operator asks for a new verification"
    ),
    CaseCause.NO_LONGER_USED: Bilingual(
        vi="người đứng tên báo không còn dùng số này",
        en="its holder says that they do not use it any more",
    ),
}


def explain(case: Case, track: Track, *, is_primary: bool) -> Bilingual:
    """Why, since when, by which rule, what is next and on what day, and how to stop it."""
    cause = _CAUSE_WORDS[case.cause]
    since = _day(case.opened_at)
    upcoming = _upcoming(case, track, is_primary=is_primary)
    return Bilingual(
        vi=f"Từ {since}: {cause.vi}. Căn cứ: {track.citation}. {upcoming.vi} {track.cure.vi}",
        en=f"Since {since}: {cause.en}. Rule: {track.citation}. {upcoming.en} {track.cure.en}",
    )


def _upcoming(case: Case, track: Track, *, is_primary: bool) -> Bilingual:
    if case.frozen_at is not None:
        return Bilingual(
            vi="Số đang có tranh chấp, nên không có bước nào tiếp theo trước khi có quyết định.",
            en="The number is in dispute: nothing follows before there is a decision.",
        )
    block = next_block(case, track, is_primary=is_primary)
    if block is None:
        return Bilingual(vi="Không còn bước nào tiếp theo.", en="Nothing more follows.")
    words, day = STEP_WORDS[block.kind], _day(block.at)
    return Bilingual(
        vi=f"Tiếp theo: {words.vi}, sớm nhất ngày {day}.",
        en=f"Next: {words.en}, on {day} at the earliest.",
    )


def _day(instant: datetime) -> str:
    return instant.astimezone(DAY_ZONE).strftime("%d/%m/%Y")
