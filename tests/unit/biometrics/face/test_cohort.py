"""A cohort holds unit vectors without names or order, and its bytes are its version."""

import numpy as np
import pytest

from biometrics.face.acquisition import Template
from biometrics.face.cohort import (
    COHORT_IDENTITIES_MIN,
    NEAREST_IDENTITIES,
    Cohort,
    InvalidCohortError,
    unit_vectors,
)

MODEL = "ab" * 32


def vectors(
    count: int, *, seed: int = 1, values: int = 8
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    drawn = np.random.default_rng(seed).normal(size=(count, values))
    return unit_vectors(drawn).astype(np.float32)


def cohort(count: int = COHORT_IDENTITIES_MIN) -> Cohort:
    return Cohort(vectors=vectors(count), model_digest=MODEL)


def template(values: object, *, model: str = MODEL) -> Template:
    return Template(vector=np.asarray(values, dtype=np.float32), model_digest=model)


def test_a_cohort_survives_its_bytes() -> None:
    one = cohort()
    other = Cohort.from_bytes(one.to_bytes())
    assert np.array_equal(other.vectors, one.vectors)
    assert (other.digest, other.model_digest) == (one.digest, one.model_digest)


def test_the_order_of_enrolment_is_not_kept() -> None:
    rows = vectors(300)
    one = Cohort(vectors=rows, model_digest=MODEL)
    other = Cohort(vectors=rows[::-1], model_digest=MODEL)
    assert one.digest == other.digest


def test_another_person_gives_another_digest() -> None:
    rows = vectors(301)
    one = Cohort(vectors=rows[:300], model_digest=MODEL)
    other = Cohort(vectors=rows[1:], model_digest=MODEL)
    assert one.digest != other.digest


def test_a_person_is_the_mean_direction_of_their_templates() -> None:
    people = [[template(row)] for row in vectors(20)]
    people.append([template([3.0, 0, 0, 0, 0, 0, 0, 0]), template([0, 5.0, 0, 0, 0, 0, 0, 0])])
    made = Cohort.from_identities(people)
    expected = np.array([0.5**0.5, 0.5**0.5, 0, 0, 0, 0, 0, 0])
    assert any(np.allclose(row, expected, atol=1e-6) for row in made.vectors)


def test_nearness_is_the_mean_cosine_to_the_ten_nearest() -> None:
    made, faces = cohort(), unit_vectors(vectors(4, seed=2))
    cosines = np.sort(faces @ made.vectors.T.astype(np.float64), axis=1)
    expected = cosines[:, -NEAREST_IDENTITIES:].mean(axis=1)
    of_references, of_probes = made.nearness(faces[:2], faces[2:])
    assert [*of_references, *of_probes] == pytest.approx(expected)


def test_whoever_is_in_the_cohort_is_centred_as_a_stranger_to_it() -> None:
    rows, generator = vectors(301), np.random.default_rng(3)
    # Embedded again, from the same portrait: the same but for rounding.
    reference = unit_vectors(rows[:1] + generator.normal(size=(1, 8)) * 1e-5)
    probe = unit_vectors(rows[:1] + generator.normal(size=(1, 8)) / 8)
    member = Cohort(vectors=rows, model_digest=MODEL).nearness(reference, probe)
    stranger = Cohort(vectors=rows[1:], model_digest=MODEL).nearness(reference, probe)
    assert np.concatenate(member) == pytest.approx(np.concatenate(stranger))


def test_a_probe_that_is_in_the_cohort_leaves_nobody_out() -> None:
    made, reference = cohort(), unit_vectors(vectors(1, seed=2))
    probe = unit_vectors(made.vectors[:1])
    _, (nearness,) = made.nearness(reference, probe)
    cosines = np.sort(made.vectors.astype(np.float64) @ probe[0])
    assert nearness == pytest.approx(cosines[-NEAREST_IDENTITIES:].mean())


def test_a_cohort_of_one_face_still_lowers_the_score() -> None:
    row = unit_vectors(vectors(1))
    made = Cohort(vectors=np.repeat(row, 20, axis=0), model_digest=MODEL)
    assert np.concatenate(made.nearness(row, row)) == pytest.approx([1, 1])


def test_a_cohort_says_whether_it_is_large_enough() -> None:
    assert cohort(COHORT_IDENTITIES_MIN).is_large_enough
    assert not cohort(COHORT_IDENTITIES_MIN - 1).is_large_enough


def test_the_vectors_cannot_be_changed_and_do_not_show() -> None:
    made = cohort()
    with pytest.raises(ValueError, match="read-only"):
        made.vectors[0, 0] = 0
    assert "vectors" not in repr(made)


def test_a_template_of_another_length_is_refused() -> None:
    faces = unit_vectors(np.ones((1, 9)))
    with pytest.raises(InvalidCohortError, match="the templates have 9"):
        cohort().nearness(faces, faces)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_vectors_that_are_not_finite_are_refused(value: float) -> None:
    rows = vectors(20)
    rows[3, 2] = value
    with pytest.raises(InvalidCohortError):
        Cohort(vectors=rows, model_digest=MODEL)


def test_vectors_that_are_not_unit_vectors_are_refused() -> None:
    with pytest.raises(InvalidCohortError, match="length 1"):
        Cohort(vectors=vectors(20) * 2, model_digest=MODEL)


@pytest.mark.parametrize("count", [0, NEAREST_IDENTITIES - 1])
def test_fewer_people_than_are_averaged_are_refused(count: int) -> None:
    with pytest.raises(InvalidCohortError, match="people"):
        Cohort(vectors=np.ones((count, 1), dtype=np.float32), model_digest=MODEL)


@pytest.mark.parametrize("digest", ["", "ab", "AB" * 32, "zz" * 32])
def test_a_digest_that_is_none_is_refused(digest: str) -> None:
    with pytest.raises(InvalidCohortError, match="SHA-256"):
        Cohort(vectors=vectors(20), model_digest=digest)


def test_templates_of_two_models_make_no_cohort() -> None:
    people = [[template(row)] for row in vectors(20)]
    people.append([template(vectors(1)[0], model="cd" * 32)])
    with pytest.raises(InvalidCohortError, match="one model"):
        Cohort.from_identities(people)


def test_a_person_without_a_template_makes_no_cohort() -> None:
    with pytest.raises(InvalidCohortError, match="1 or more"):
        Cohort.from_identities([[template(row)] for row in vectors(20)] + [[]])


@pytest.mark.parametrize(("start", "stop"), [(0, 0), (0, 10), (0, -1), (1, None)])
def test_a_part_of_a_cohort_is_refused(start: int, stop: int | None) -> None:
    with pytest.raises(InvalidCohortError):
        Cohort.from_bytes(cohort().to_bytes()[start:stop])


def test_more_bytes_than_announced_are_refused() -> None:
    with pytest.raises(InvalidCohortError, match="announced"):
        Cohort.from_bytes(cohort().to_bytes() + b"\0")


def test_more_people_than_present_are_refused() -> None:
    data = cohort().to_bytes()
    with pytest.raises(InvalidCohortError, match="announced"):
        Cohort.from_bytes(data[:36] + b"\xff\xff\xff\xff" + data[40:])
