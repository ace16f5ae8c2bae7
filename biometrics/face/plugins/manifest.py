"""What a model is and how it wants to be fed, as its TOML manifest says.

Owns the form of a manifest and refuses one that is wrong or incomplete with the place at fault.
Refuses to know where the file of weights lies and how a network runs.
"""

import json
import math
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, TypeVar

MANIFEST_BYTES_MAX = 64 * 1024
"""A manifest takes one kilobyte; a file of more than 64 is something else."""

SIDE_PX_MAX = 1024
DIMENSION_MAX = 4096
"""Face networks read squares of 96 to 256 pixels and give 128 to 1,024 values; these bounds catch a
slip of a digit."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,126}\.onnx")
_SHA256 = re.compile(r"[0-9a-f]{64}")

_Choice = TypeVar("_Choice", bound=StrEnum)


class ManifestError(ValueError):
    """A manifest that cannot be used; the message names the place."""


class ModelKind(StrEnum):
    """What a model does."""

    EMBEDDER = "embedder"
    DETECTOR = "detector"


class Layout(StrEnum):
    """The order of a network's input axes: N images, C colours, H rows, W columns."""

    NCHW = "NCHW"
    NHWC = "NHWC"


class ColourOrder(StrEnum):
    """The order of the colours."""

    RGB = "RGB"
    BGR = "BGR"


class AlignmentTemplate(StrEnum):
    """Where the landmarks of a face stand in a network's input."""

    ARCFACE = "arcface-five-points"
    """Five points of the 112 x 112 crop that ArcFace networks and SFace are trained with."""


class PluginScoreType(StrEnum):
    """How two templates of a network are compared."""

    COSINE = "cosine"
    DISTANCE = "distance"


@dataclass(frozen=True, kw_only=True)
class InputFormat:
    """How an image becomes the input of a network: `(value - mean) * scale` for each colour.

    Attributes:
        side_px: Side of the square that is read; None for a network that takes any size.
        layout: The order of the axes.
        colour_order: The order of the colours, also of `mean`.
        mean: Subtracted from each colour, in 0..255.
        scale: Multiplies what is left, above 0.
    """

    side_px: int | None
    layout: Layout
    colour_order: ColourOrder
    mean: tuple[float, float, float]
    scale: float


@dataclass(frozen=True, kw_only=True)
class EmbeddingFormat:
    """What an embedder wants and gives.

    Attributes:
        alignment: Where the landmarks stand in its input.
        dimension: Values of one template.
        score_type: How two templates are compared.
    """

    alignment: AlignmentTemplate
    dimension: int
    score_type: PluginScoreType


@dataclass(frozen=True, kw_only=True)
class PluginManifest:
    """One model.

    Attributes:
        name: Its name here: a-z, 0-9 and inner hyphens, at most 63.
        version: As its publisher counts.
        kind: What it does.
        file: Name of the file of weights, in ONNX.
        sha256: Of that file, 64 lower-case hexadecimal digits.
        licence: SPDX identifier of the licence of the weights.
        source: Where they come from, for a reader.
        input: How it is fed.
        embedding: What an embedder wants and gives; None for a detector.
    """

    name: str
    version: str
    kind: ModelKind
    file: str
    sha256: str
    licence: str
    source: str
    input: InputFormat
    embedding: EmbeddingFormat | None

    @property
    def feeding(self) -> str:
        """All that changes what a template is besides the weights, in one line of ASCII.

        JSON with sorted keys; a number is the shortest that reads back as itself. One more field
        in `InputFormat` or `EmbeddingFormat` gives every installed network's templates a new mark.
        """
        embedding = None if self.embedding is None else asdict(self.embedding)
        form = {"input": asdict(self.input), "embedding": embedding}
        return json.dumps(form, sort_keys=True, separators=(",", ":"))


def parse_manifest(text: str) -> PluginManifest:
    """Read a manifest.

    Raises:
        ManifestError: Not TOML, or anything missing, unknown or out of its bounds.
    """
    try:
        document = tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, or a number too long to be read
        raise ManifestError(f"not TOML: {error}") from error
    except RecursionError as error:
        raise ManifestError("nested too deeply") from error
    return _manifest(document)


_KEYS = frozenset(
    {"name", "version", "kind", "file", "sha256", "licence", "source", "input", "embedding"}
)
_INPUT_KEYS = frozenset({"side_px", "layout", "colour_order", "mean", "scale"})
_EMBEDDING_KEYS = frozenset({"alignment", "dimension", "score_type"})


def _manifest(document: Mapping[str, Any]) -> PluginManifest:
    kind = _choice(ModelKind, document.get("kind"), place="kind")
    is_embedder = kind is ModelKind.EMBEDDER
    _check_keys(document, _KEYS if is_embedder else _KEYS - {"embedding"}, place="manifest")
    return PluginManifest(
        name=_matching(_NAME, document["name"], place="name"),
        version=_text(document["version"], place="version"),
        kind=kind,
        file=_matching(_FILE, document["file"], place="file"),
        sha256=_digest(document["sha256"]),
        licence=_text(document["licence"], place="licence"),
        source=_text(document["source"], place="source"),
        input=_input(document["input"], is_embedder=is_embedder),
        embedding=_embedding(document["embedding"]) if is_embedder else None,
    )


def _input(value: object, *, is_embedder: bool) -> InputFormat:
    body = _table(value, place="input")
    keys = _INPUT_KEYS if is_embedder or "side_px" in body else _INPUT_KEYS - {"side_px"}
    _check_keys(body, keys, place="input")
    side_px = body.get("side_px")
    return InputFormat(
        side_px=None
        if side_px is None
        else _whole(side_px, maximum=SIDE_PX_MAX, place="input.side_px"),
        layout=_choice(Layout, body["layout"], place="input.layout"),
        colour_order=_choice(ColourOrder, body["colour_order"], place="input.colour_order"),
        mean=_mean(body["mean"]),
        scale=_scale(body["scale"]),
    )


def _embedding(value: object) -> EmbeddingFormat:
    body = _table(value, place="embedding")
    _check_keys(body, _EMBEDDING_KEYS, place="embedding")
    return EmbeddingFormat(
        alignment=_choice(AlignmentTemplate, body["alignment"], place="embedding.alignment"),
        dimension=_whole(body["dimension"], maximum=DIMENSION_MAX, place="embedding.dimension"),
        score_type=_choice(PluginScoreType, body["score_type"], place="embedding.score_type"),
    )


def _digest(value: object) -> str:
    text = _text(value, place="sha256")
    if not _SHA256.fullmatch(text):
        raise ManifestError(
            f"sha256 must be 64 lower-case hexadecimal digits; this has {len(text)} characters"
        )
    return text


def _mean(value: object) -> tuple[float, float, float]:
    if not isinstance(value, list) or len(value) != 3:  # noqa: PLR2004 - one for each colour
        raise ManifestError("input.mean must be three numbers, one for each colour")
    red, green, blue = (_number(item, place="input.mean") for item in value)
    if not all(0 <= item <= 255 for item in (red, green, blue)):  # noqa: PLR2004 - the range of a pixel
        raise ManifestError("input.mean must be in 0..255")
    return red, green, blue


def _scale(value: object) -> float:
    scale = _number(value, place="input.scale")
    if scale <= 0:
        raise ManifestError("input.scale must be above 0")
    return scale


def _number(value: object, *, place: str) -> float:
    number = math.nan
    if isinstance(value, int | float) and not isinstance(value, bool):
        with suppress(OverflowError):  # a whole number of more than 308 digits
            number = float(value)
    if not math.isfinite(number):
        raise ManifestError(f"{place} must be a finite number")
    return number


def _whole(value: object, *, maximum: int, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= maximum:
        raise ManifestError(f"{place} must be a whole number in 1..{maximum}")
    return value


def _text(value: object, *, place: str) -> str:
    # Printed as it is, so nothing that moves a terminal's cursor.
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ManifestError(f"{place} must be a text in one line")
    return value


def _matching(pattern: re.Pattern[str], value: object, *, place: str) -> str:
    text = _text(value, place=place)
    if not pattern.fullmatch(text):
        raise ManifestError(f"{place} must have the form {pattern.pattern}")
    return text


def _choice(choices: type[_Choice], value: object, *, place: str) -> _Choice:
    try:
        return choices(_text(value, place=place))
    except ValueError as error:
        raise ManifestError(f"{place} must be one of {', '.join(choices)}") from error


def _table(value: object, *, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ManifestError(f"{place} must be a table")
    return value


def _check_keys(body: Mapping[str, Any], keys: frozenset[str], *, place: str) -> None:
    """Every key is there and none besides: a misspelt one must not fall back to anything."""
    unknown, missing = sorted(set(body) - keys), sorted(keys - set(body))
    if unknown:
        raise ManifestError(f"{place}: unknown {', '.join(unknown)}")
    if missing:
        raise ManifestError(f"{place}: missing {', '.join(missing)}")
