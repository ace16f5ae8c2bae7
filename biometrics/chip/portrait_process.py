"""The child that decodes one picture: octets in, red-green-blue out.

Owns giving up its own rights before it touches the picture, and the call of Pillow. Run as a file
by `portrait`, with format, width, height and memory; imports nothing of ours, so that it starts
fast and holds nothing worth stealing. Whatever goes wrong, it ends with another code than zero.
"""

import io
import resource
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import ImageFile

OPEN_FILES_MAX = 32
REFUSED = 3


def main(arguments: list[str]) -> int:
    """Decode standard input to standard output and return the exit code."""
    image_format, width, height, memory_octets = arguments[0], *map(int, arguments[1:])
    _give_up_rights(memory_octets)
    try:
        rgb = _decode(sys.stdin.buffer.read(), image_format, (width, height))
    except Exception:  # noqa: BLE001 - on corrupt octets Pillow raises what its plugins happen to raise; the set is not documented
        return REFUSED
    sys.stdout.buffer.write(rgb)
    return 0


def _give_up_rights(memory_octets: int) -> None:
    """No more memory than this, no core dump of somebody's face, no file written."""
    for what, limit in (
        (resource.RLIMIT_AS, memory_octets),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES_MAX),
    ):
        resource.setrlimit(what, (limit, limit))


def _decode(image: bytes, image_format: str, size: tuple[int, int]) -> bytes:
    # Imported after the limits are set, so that they hold for Pillow as well.
    from PIL import Jpeg2KImagePlugin, JpegImagePlugin  # noqa: PLC0415 - see above

    # The plugins themselves and not `Image.open`, which tries every format Pillow knows.
    plugins: dict[str, type[ImageFile.ImageFile]] = {
        "jpeg": JpegImagePlugin.JpegImageFile,
        "jpeg2000": Jpeg2KImagePlugin.Jpeg2KImageFile,
    }
    with plugins[image_format](io.BytesIO(image)) as opened:
        if opened.size != size:
            raise ValueError("the header read before says another size")
        return opened.convert("RGB").tobytes()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
