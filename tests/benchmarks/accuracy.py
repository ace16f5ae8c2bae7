"""`make accuracy`: measure on real photographs, write docs/reference/accuracy.md.

Owns the protocol: which people choose a threshold and which people it is counted on. Nobody does
both: a division puts half of the people, and of every group, on each side. The choosing half is its
own cohort (whoever is compared is left out), so no cohort knows a person it is counted on.
"""

import argparse
import csv
import io
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from biometrics.evaluation.calibration import cohort_trials, data_digest
from biometrics.evaluation.intervals import counted_rate
from biometrics.evaluation.pairs import PairList, read_pairs
from biometrics.evaluation.photographs import Photographs, TemplateFolder, acquire_photographs
from biometrics.evaluation.rates import (
    Gap,
    Rates,
    detection_error_tradeoff,
    largest_gap,
    rates_at,
    threshold_at_fmr,
)
from biometrics.evaluation.scoring import NamedCohort, ScoredPairs, pair_up
from biometrics.evaluation.thresholds import choose_threshold, division, held_out
from biometrics.evaluation.trials import Integers, Mask, Trials
from biometrics.face.engine import FaceEngine
from biometrics.face.models import Views
from biometrics.face.operating_point import DEFAULT
from biometrics.face.quality_demands import NO_DEMANDS
from tests.benchmarks.accuracy_page import page
from tests.benchmarks.accuracy_results import Group, Results, Score, Travelled
from tests.benchmarks.harness import ROOT

FACES = Path(ROOT).parent / "shared" / "data" / "faces"
PAGE = Path(ROOT) / "docs" / "reference" / "accuracy.md"

DIVISIONS = 10
"""Ways to divide the people; each takes some seconds."""

TARGET_FMR = 1e-3
"""What this number of pairs supports (rule of 3), and the circular's line does not."""

COLUMN = "east_se_asian_pair"


def main(arguments: list[str]) -> int:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--templates", type=Path, help="keep templates here (biometric data)")
    parser.add_argument("--out", type=Path, default=PAGE)
    options = parser.parse_args(arguments)
    if not FACES.is_dir():
        print(f"the photographs are not on this machine: {FACES.name} folder is absent")
        return 2
    results = measure(options.templates)
    options.out.write_text(page(results), encoding="utf-8")
    print(options.out)
    return 0


def measure(templates: Path | None) -> Results:
    """Every figure of the page."""
    pair_list = read_pairs(_with_gender((FACES / "pairs.csv").read_bytes()))
    plain, photographs = _paired(pair_list, Views.PLAIN, templates)
    full, _ = _paired(pair_list, Views.MIRROR_TWO_ALIGNMENTS, templates)
    named = {
        "plain distance": plain,
        "cohort-centred": full,
    }
    return Results(
        measured_on=datetime.now(UTC).date().isoformat(),
        data_digest=data_digest(pair_list, photographs),
        pairs=len(pair_list.pairs),
        photographs=len(pair_list.paths),
        identities=len(set(pair_list.identities.values())),
        fta=counted_rate(len(photographs.failures), len(pair_list.paths)),
        default=_default_rates(plain.trials),
        scores=tuple(
            _score(name, pairs.trials if pairs is plain else _centred(pairs))
            for name, pairs in named.items()
        ),
        travelled=tuple(
            _travelled(name, pairs, is_plain=pairs is plain) for name, pairs in named.items()
        ),
    )


def _with_gender(pairs: bytes) -> bytes:
    """The list with a column `gender`: that of both people where it is known and the same."""
    labels = (FACES / "london" / "labels.csv").read_text(encoding="utf-8")
    gender = {row["path"]: row["gender_self"] for row in csv.DictReader(io.StringIO(labels))}
    rows = list(csv.DictReader(io.StringIO(pairs.decode())))
    out = io.StringIO()
    writer = csv.DictWriter(out, [*rows[0], "gender"], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        one, other = gender.get(row["path_a"], ""), gender.get(row["path_b"], "")
        writer.writerow(row | {"gender": one if one == other else "different"})
    return out.getvalue().encode()


def _paired(
    pair_list: PairList, views: Views, templates: Path | None
) -> tuple[ScoredPairs, Photographs]:
    print(f"templates, {views} …", flush=True)
    photographs = acquire_photographs(
        pair_list.paths,
        root=FACES,
        engine=FaceEngine(views=views, probe_demands=NO_DEMANDS),
        folder=TemplateFolder(templates, engine_mark=f"{views}:none") if templates else None,
    )
    return pair_up(pair_list, photographs.templates), photographs


def _centred(pairs: ScoredPairs) -> Trials:
    return cohort_trials(pairs, NamedCohort.from_pairs(pairs))


def _outside(pairs: ScoredPairs, half: Integers) -> Mask:
    others = np.setdiff1d(pairs.trials.identities, half)
    return pairs.trials.among(others)


def _default_rates(trials: Trials) -> dict[str, Rates]:
    threshold = -DEFAULT.decision_threshold
    lfw = trials.groups["dataset"] == "lfw"
    parts = {
        "LFW, East and Southeast Asian pairs": lfw & (trials.groups[COLUMN] == "1"),
        "LFW, other pairs": lfw & (trials.groups[COLUMN] == "0"),
        "London, studio, one day": trials.groups["dataset"] == "london",
    }
    return {name: rates_at(trials.where(mask), threshold=threshold) for name, mask in parts.items()}


def _score(name: str, trials: Trials) -> Score:
    print(f"{name} …", flush=True)
    lfw = trials.where(trials.groups["dataset"] == "lfw")
    curve = detection_error_tradeoff(lfw)
    parts = {value: lfw.where(lfw.groups[COLUMN] == value) for value in ("0", "1")}
    gaps: dict[float, Gap] = {}
    for fmr in (1e-2, TARGET_FMR):
        threshold = threshold_at_fmr(lfw.non_mated, target_fmr=fmr)
        rates = {value: rates_at(part, threshold=threshold).fmr for value, part in parts.items()}
        gap = largest_gap(COLUMN, rates.items())
        if gap is not None:
            gaps[fmr] = gap
    return Score(
        name=name,
        fnmr_lfw={fmr: curve.fnmr_at_fmr(fmr) for fmr in (1e-2, TARGET_FMR)},
        fnmr_groups={
            value: detection_error_tradeoff(part).fnmr_at_fmr(TARGET_FMR)
            for value, part in parts.items()
        },
        gaps=gaps,
    )


def _travelled(name: str, pairs: ScoredPairs, *, is_plain: bool) -> Travelled:
    print(f"threshold of half the people, {name} …", flush=True)
    fmrs: dict[Group, list[float]] = {}
    fnmrs: dict[Group, list[float]] = {}
    inside: dict[Group, list[bool]] = {}
    highs: dict[Group, list[float]] = {}
    at_fmr: list[float] = []
    for seed in range(DIVISIONS):
        half = division(pairs.trials, seed=seed)
        one, other = pairs.where(pairs.trials.among(half)), pairs.where(_outside(pairs, half))
        cohort = None if is_plain else NamedCohort.from_pairs(one)
        chooses = one.trials if cohort is None else cohort_trials(one, cohort)
        counts = other.trials if cohort is None else cohort_trials(other, cohort)
        chosen = choose_threshold(chooses, target_fmr=TARGET_FMR)
        stated = held_out(chooses, target_fmr=TARGET_FMR).groups
        lfw = counts.where(counts.groups["dataset"] == "lfw")
        at_fmr.append(detection_error_tradeoff(lfw).fnmr_at_fmr(TARGET_FMR))
        for group, mask in counts.group_masks().items():
            part = counts.where(mask)
            if group not in stated or not len(part.non_mated):
                continue
            matching = float(np.mean(part.non_mated.similarity >= chosen.threshold))
            fmrs.setdefault(group, []).append(matching)
            highs.setdefault(group, []).append(stated[group].high)
            inside.setdefault(group, []).append(stated[group].low <= matching <= stated[group].high)
            if len(part.mated):
                failing = float(np.mean(part.mated.similarity < chosen.threshold))
                fnmrs.setdefault(group, []).append(failing)
    return Travelled(
        name=name,
        target_fmr=TARGET_FMR,
        fmr={group: float(np.mean(values)) for group, values in fmrs.items()},
        fnmr={group: float(np.mean(values)) for group, values in fnmrs.items()},
        inside={group: sum(values) for group, values in inside.items()},
        stated_high={group: float(np.mean(values)) for group, values in highs.items()},
        divisions={group: len(values) for group, values in inside.items()},
        fnmr_lfw_at_fmr=float(np.mean(at_fmr)),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
