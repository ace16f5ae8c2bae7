"""Network, operating point and cohort belong together, or nothing is served."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from biometrics.face.cohort import COHORT_IDENTITIES_MIN, Cohort
from biometrics.face.models import DLIB_RESNET29, EmbedderManifest, Precision, Views
from biometrics.face.operating_point import DEFAULT, OperatingPoint
from biometrics.face.operating_point_file import to_json
from biometrics.face.plugins.manifest import parse_manifest
from biometrics.face.plugins.registry import embedder_manifest
from biometrics.face.score import ScoreType
from identity.domain.verification import RegulatedRates
from identity.services.face_setup import (
    FaceSetup,
    FaceSetupError,
    load_operating_point,
    make_face_setup,
    read_cohort,
    refuse_unproven,
)
from identity.services.load_cohort import with_cohort
from identity.storage.database import UnitOfWork
from identity.storage.face_cohorts import FaceCohort
from tests.unit.biometrics.face.plugins.conftest import manifest_text, network
from tests.unit.biometrics.face.points import rate
from tests.unit.identity.makers import NOW, rules
from tests.unit.identity.services.points import PROVEN, public_pem

POLICY = rules().verification
REGULATED = replace(POLICY, regulated=RegulatedRates(far_max=1e-4, frr_max=0.05))


def make_cohort(size: int = COHORT_IDENTITIES_MIN, **given: str) -> Cohort:
    vectors = np.random.default_rng(5).normal(size=(size, 128))
    digest = given.get("model_digest", DLIB_RESNET29.weights_sha256)
    return Cohort(
        vectors=(vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32),
        model_digest=digest,
    )


def centred_point(cohort: Cohort, *, fallback: OperatingPoint | None = None) -> OperatingPoint:
    return OperatingPoint(
        score_type=ScoreType.COHORT_CENTRED,
        decision_threshold=0.4,
        review_threshold=0.3,
        source="made in a test",
        cohort_digest=cohort.digest,
        fallback=fallback,
    )


def install_network(directory: Path, **given: object) -> EmbedderManifest:
    weights = network()
    folder = directory / "test-network"
    folder.mkdir(exist_ok=True)
    (folder / "network.onnx").write_bytes(weights)
    text = manifest_text(weights, **given)
    (folder / "manifest.toml").write_text(text)
    return embedder_manifest(parse_manifest(text))


def test_the_provisional_point_serves_the_built_in_network(tmp_path: Path) -> None:
    setup = make_face_setup(models_directory=tmp_path)
    assert setup.operating_point == DEFAULT == load_operating_point(None)
    assert setup.model_digest == DLIB_RESNET29.weights_sha256


def test_another_precision_or_network_needs_a_point_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(FaceSetupError, match="another network than dlib-resnet29 at bf16"):
        make_face_setup(models_directory=tmp_path, precision=Precision.BF16)
    own = replace(DLIB_RESNET29, precision=Precision.BF16).template_digest(Views.MIRROR)
    point = replace(DEFAULT, model_digest=own, views=Views.MIRROR)
    setup = make_face_setup(
        models_directory=tmp_path, precision=Precision.BF16, operating_point=point
    )
    assert setup.model_digest == own
    with pytest.raises(FaceSetupError, match="not installed"):
        make_face_setup(models_directory=tmp_path, model="opencv-sface")
    with pytest.raises(FaceSetupError, match="dlib-resnet29 only"):
        make_face_setup(models_directory=tmp_path, model="opencv-sface", precision=Precision.BF16)


def test_two_alignments_are_refused_for_a_network_with_one_before_anything_is_served(
    tmp_path: Path,
) -> None:
    manifest = install_network(tmp_path)
    views = Views.MIRROR_TWO_ALIGNMENTS
    point = replace(DEFAULT, views=views, model_digest=manifest.template_digest(views))
    with pytest.raises(FaceSetupError, match="two alignments: test-network has one"):
        make_face_setup(models_directory=tmp_path, model="test-network", operating_point=point)


def test_a_point_of_a_manifest_that_was_edited_is_refused(tmp_path: Path) -> None:
    point = replace(DEFAULT, model_digest=install_network(tmp_path).template_digest())
    setup = make_face_setup(models_directory=tmp_path, model="test-network", operating_point=point)
    assert setup.model_digest == point.model_digest
    install_network(tmp_path, colour_order="BGR")
    with pytest.raises(FaceSetupError, match="another network than test-network"):
        make_face_setup(models_directory=tmp_path, model="test-network", operating_point=point)


def test_a_signed_point_is_read_and_one_of_another_key_is_not(tmp_path: Path) -> None:
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    file, pem, other_pem = (tmp_path / name for name in ("point.json", "key.pem", "other.pem"))
    point = replace(DEFAULT, decision_threshold=0.35, review_threshold=0.45)
    file.write_bytes(to_json(point, sign_key=key))
    pem.write_bytes(public_pem(key))
    other_pem.write_bytes(public_pem(other))
    assert load_operating_point(file, trusted_key=pem) == load_operating_point(file) == point
    with pytest.raises(FaceSetupError, match=r"point\.json: another key"):
        load_operating_point(file, trusted_key=other_pem)


def test_a_point_that_was_loosened_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "point.json"
    file.write_bytes(to_json(DEFAULT).replace(b"0.4,", b"0.6,", 1))
    with pytest.raises(FaceSetupError, match="was changed"):
        load_operating_point(file)
    with pytest.raises(FaceSetupError, match="No such file"):
        load_operating_point(tmp_path / "absent.json")


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    file, pem = tmp_path / "point.json", tmp_path / "key.pem"
    file.write_bytes(to_json(DEFAULT))
    public = generate_private_key(SECP256R1()).public_key()
    for content, says in (
        (public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), "no Ed25519 key"),
        (b"no key at all", "no public key in PEM"),
    ):
        pem.write_bytes(content)
        with pytest.raises(FaceSetupError, match=says):
            load_operating_point(file, trusted_key=pem)


def test_rates_are_demanded_of_a_regulated_policy_only() -> None:
    refuse_unproven(DEFAULT, POLICY, is_trusted=False)
    with pytest.raises(FaceSetupError) as caught:
        refuse_unproven(DEFAULT, REGULATED, is_trusted=False)
    message = str(caught.value)
    for text in ("0.01 %", "5 %", "rests on no evidence", "nobody vouches for it"):
        assert text in message
    assert "\n" not in message


def test_a_point_that_shows_the_rates_and_is_vouched_for_serves_a_regulated_policy() -> None:
    refuse_unproven(PROVEN, REGULATED, is_trusted=True)
    with pytest.raises(FaceSetupError, match="nobody vouches for it"):
        refuse_unproven(PROVEN, REGULATED, is_trusted=False)


def test_everything_that_is_missing_is_said_at_once() -> None:
    assert PROVEN.evidence is not None
    weak = replace(
        PROVEN,
        evidence=replace(
            PROVEN.evidence,
            fmr=rate(20, 100_000, high=2e-4),
            fnmr=rate(400, 1000, high=0.43),
        ),
    )
    with pytest.raises(FaceSetupError) as caught:
        refuse_unproven(weak, REGULATED, is_trusted=False)
    for text in ("FMR may be 0.02 %", "FRR may be 43 %", "nobody vouches for it"):
        assert text in str(caught.value)


def test_rates_at_a_distance_that_the_policy_does_not_take_prove_nothing() -> None:
    loose = replace(PROVEN, decision_threshold=0.45)
    with pytest.raises(FaceSetupError, match=r"distance of 0\.45, .* none above 0\.4 "):
        refuse_unproven(loose, REGULATED, is_trusted=True)
    strict = replace(PROVEN, decision_threshold=0.35, review_threshold=None)
    refuse_unproven(strict, REGULATED, is_trusted=True)
    cosine = replace(
        PROVEN, score_type=ScoreType.COSINE, decision_threshold=0.9, review_threshold=None
    )
    refuse_unproven(cosine, REGULATED, is_trusted=True)


def test_the_fallback_of_a_missing_cohort_must_show_the_rates_as_well() -> None:
    point = replace(centred_point(make_cohort(), fallback=DEFAULT), evidence=PROVEN.evidence)
    with pytest.raises(FaceSetupError, match=r"without a cohort, .* no evidence"):
        refuse_unproven(point, REGULATED, is_trusted=True)
    refuse_unproven(replace(point, fallback=PROVEN), REGULATED, is_trusted=True)


def test_a_key_without_anything_to_be_signed_is_refused(tmp_path: Path) -> None:
    pem = tmp_path / "key.pem"
    pem.write_bytes(public_pem(Ed25519PrivateKey.generate()))
    with pytest.raises(FaceSetupError, match="name it too"):
        load_operating_point(None, trusted_key=pem)


def test_a_network_that_is_not_there_when_it_is_loaded_is_told(tmp_path: Path) -> None:
    engine = FaceSetup(models_directory=tmp_path, model="absent").make_engine()
    with pytest.raises(FaceSetupError, match="absent cannot be run: absent is not installed"):
        engine.warm_up()


def test_a_cohort_is_found_by_the_version_that_the_point_names(
    uow: UnitOfWork, tmp_path: Path
) -> None:
    cohort = make_cohort()
    setup = make_face_setup(models_directory=tmp_path, operating_point=centred_point(cohort))
    with pytest.raises(FaceSetupError, match="identity faces cohort"):
        with_cohort(uow, setup, at=NOW)
    content = cohort.to_bytes()
    uow.face_cohorts.add(
        FaceCohort(
            digest=cohort.digest,
            model_digest=cohort.model_digest,
            member_count=len(cohort),
            content=content,
        ),
        at=NOW,
    )
    found = with_cohort(uow, setup, at=NOW).cohort
    assert found is not None
    # The one that is in use outlives whoever draws another with other settings.
    uow.face_cohorts.remove_others([])
    assert uow.face_cohorts.find(cohort.digest) is not None
    assert found.digest == cohort.digest == hashlib.sha256(content).hexdigest()


def test_without_its_cohort_a_point_falls_back(uow: UnitOfWork, tmp_path: Path) -> None:
    point = centred_point(make_cohort(), fallback=DEFAULT)
    setup = make_face_setup(models_directory=tmp_path, operating_point=point)
    assert with_cohort(uow, setup, at=NOW).cohort is None


def test_a_point_without_a_cohort_needs_none(uow: UnitOfWork, tmp_path: Path) -> None:
    setup = make_face_setup(models_directory=tmp_path)
    assert with_cohort(uow, setup, at=NOW) == setup


def test_a_cohort_from_a_file_must_be_of_the_network_and_large_enough(tmp_path: Path) -> None:
    setup = make_face_setup(models_directory=tmp_path)
    good = make_cohort()
    assert read_cohort(setup, good.to_bytes()).digest == good.digest
    for content, says in (
        (b"no cohort", "no cohort"),
        (make_cohort(COHORT_IDENTITIES_MIN - 1).to_bytes(), "too small"),
        (make_cohort(model_digest="a" * 64).to_bytes(), "another network"),
    ):
        with pytest.raises(FaceSetupError, match=says):
            read_cohort(setup, content)
