"""What a person can do about a photograph that was not usable, in Vietnamese and English.

Owns the words. Refuses to know when a reason applies. An advice names one thing to do, blames
nobody and says nothing about whether the face would have matched.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from biometrics.face.acquisition import AcquisitionFailure as Reason


@dataclass(frozen=True)
class Advice:
    """One thing to do, in two languages.

    Attributes:
        vi: In Vietnamese.
        en: In English.
    """

    vi: str
    en: str


ADVICE: Mapping[Reason, Advice] = MappingProxyType(
    {
        Reason.IMAGE_TOO_LARGE: Advice(
            vi="Ảnh quá lớn. Hãy gửi ảnh dưới 8 MB và 8 megapixel.",
            en="The picture is too large. Send one below 8 MB and 8 megapixels.",
        ),
        Reason.UNSUPPORTED_FORMAT: Advice(
            vi="Định dạng tệp không được hỗ trợ. Hãy gửi ảnh JPEG, PNG hoặc WebP.",
            en="This kind of file cannot be read. Send a JPEG, PNG or WebP picture.",
        ),
        Reason.ANIMATED: Advice(
            vi="Tệp có nhiều khung hình. Hãy gửi một ảnh tĩnh.",
            en="The file is a moving picture. Send a still photograph.",
        ),
        Reason.UNDECODABLE: Advice(
            vi="Tệp ảnh bị hỏng hoặc chưa tải lên hết. Hãy chụp lại và gửi lại.",
            en="The picture is damaged or incomplete. Take it again and send it again.",
        ),
        Reason.NO_FACE: Advice(
            vi="Không thấy khuôn mặt. Hãy nhìn thẳng vào máy ảnh, không che mặt, ở nơi đủ sáng.",
            en="No face was found. Look into the camera in good light, with the face uncovered.",
        ),
        Reason.SEVERAL_FACES: Advice(
            vi="Có nhiều khuôn mặt trong ảnh. Hãy chụp một mình.",
            en="There are several faces in the picture. Take it with nobody else in view.",
        ),
        Reason.FACE_TOO_SMALL: Advice(
            vi="Khuôn mặt quá nhỏ. Hãy đưa máy ảnh lại gần hơn.",
            en="The face is too small. Bring the camera closer.",
        ),
        Reason.FACE_CUT_OFF: Advice(
            vi="Khuôn mặt bị cắt mất một phần. Hãy đưa cả khuôn mặt vào giữa khung hình.",
            en="Part of the face is cut off. Bring the whole face to the middle of the picture.",
        ),
        Reason.MOUTH_COVERED: Advice(
            vi="Miệng bị che. Hãy bỏ khẩu trang, khăn hoặc tay ra khỏi khuôn mặt.",
            en="The mouth is covered. Take off the mask or scarf, and keep hands away.",
        ),
        Reason.EYES_COVERED: Advice(
            vi="Mắt bị che. Hãy bỏ kính râm và vén tóc khỏi mắt.",
            en="The eyes are covered. Take off dark glasses and keep hair out of the eyes.",
        ),
        Reason.TOO_DARK: Advice(
            vi="Ảnh quá tối. Hãy quay mặt về phía có ánh sáng.",
            en="The picture is too dark. Turn towards the light.",
        ),
        Reason.OVER_EXPOSED: Advice(
            vi="Ảnh quá sáng. Hãy tắt đèn flash và tránh ánh sáng chiếu thẳng vào mặt.",
            en="The picture is too bright. Turn the flash off and move out of direct light.",
        ),
        Reason.UNEVEN_LIGHT: Advice(
            vi="Một bên mặt bị tối. Hãy để ánh sáng chiếu đều từ phía trước.",
            en="One side of the face is in shadow. Let the light come from the front.",
        ),
        Reason.LOW_CONTRAST: Advice(
            vi="Ảnh bị mờ nhạt. Hãy lau ống kính và chụp ở nơi sáng hơn.",
            en="The picture is pale. Wipe the lens and take it in better light.",
        ),
        Reason.BLURRED: Advice(
            vi="Ảnh bị nhòe. Hãy giữ máy chắc tay và chờ máy lấy nét.",
            en="The picture is blurred. Hold the camera still and wait until it is in focus.",
        ),
        Reason.TURNED_AWAY: Advice(
            vi="Khuôn mặt đang quay đi. Hãy nhìn thẳng vào máy ảnh.",
            en="The face is turned away. Look straight into the camera.",
        ),
        Reason.TILTED: Advice(
            vi="Đầu bị nghiêng. Hãy giữ đầu và máy ảnh thẳng đứng.",
            en="The head is tilted. Hold the head and the camera upright.",
        ),
        Reason.EYES_CLOSED: Advice(
            vi="Mắt đang nhắm. Hãy mở cả hai mắt.",
            en="The eyes are closed. Keep both eyes open.",
        ),
        Reason.EYEGLASSES: Advice(
            vi="Hãy tháo kính rồi chụp lại.",
            en="Take off the glasses and take the picture again.",
        ),
        Reason.NOT_A_PHOTOGRAPH: Advice(
            vi="Đây không phải ảnh chụp người thật. Hãy chụp trực tiếp khuôn mặt của bạn.",
            en="This is not a photograph of a person. Take a picture of your own face.",
        ),
        Reason.SEVERAL_PEOPLE: Advice(
            vi="Các ảnh không giống cùng một người. Hãy tự chụp lại tất cả các ảnh.",
            en="The pictures do not look like one person. Take all of them again, of yourself.",
        ),
    }
)
"""For each reason one thing to do. Reasons about a document's portrait are for staff: the person
cannot take that picture again."""


def advice(reason: Reason) -> Advice:
    """What the person can do about `reason`."""
    return ADVICE[reason]
