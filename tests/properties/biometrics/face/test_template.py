"""Templates survive bytes, and the dissimilarity is a distance."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biometrics.face.acquisition import InvalidTemplateError, Template
from biometrics.face.compare import dissimilarity

DIGEST = "ab" * 32

values = st.floats(allow_nan=False, allow_infinity=False, width=32)
templates = st.lists(values, min_size=1, max_size=128).map(
    lambda row: Template(vector=np.array(row, dtype=np.float32), model_digest=DIGEST)
)
small = st.lists(st.floats(-2, 2, width=32), min_size=4, max_size=4).map(
    lambda row: Template(vector=np.array(row, dtype=np.float32), model_digest=DIGEST)
)


@given(templates)
@settings(max_examples=200)
def test_bytes_keep_a_template_bit_for_bit(template: Template) -> None:
    again = Template.from_bytes(template.to_bytes())
    assert again == template
    assert again.to_bytes() == template.to_bytes()


@given(st.binary(max_size=120))
@settings(max_examples=300)
def test_other_bytes_are_a_template_or_refused(data: bytes) -> None:
    try:
        template = Template.from_bytes(b"SFT1" + data)
    except InvalidTemplateError:
        return
    assert template.to_bytes() == b"SFT1" + data


@given(small, small, small)
@settings(max_examples=200)
def test_the_dissimilarity_is_a_distance(a: Template, b: Template, c: Template) -> None:
    assert dissimilarity(a, a) == 0
    assert dissimilarity(a, b) == pytest.approx(dissimilarity(b, a))
    assert dissimilarity(a, c) <= dissimilarity(a, b) + dissimilarity(b, c) + 1e-6
    assert math.isfinite(dissimilarity(a, b))
