"""`make accuracy`: measure on real photographs, write docs/reference/accuracy.md.

Owns the protocol: which people choose a threshold and which people it is counted on. Nobody does
both: a division puts half of the people, and of every group, on each side. The choosing half is its
own cohort (whoever is compared is left out), so no cohort knows a person it is counted on.

Everything random has a seed: the same photographs give the same page, but for its date.
"""

import argparse
import csv
import io
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from biometrics.evaluation.calibration import cohort_trials, data_digest
from biometrics.evaluation.intervals import counted_rate
from biometrics.evaluation.pairs import PairList, read_pairs
from biometrics.evaluation.photographs import Photographs, TemplateFolder, acquire_photographs
from biometrics.evaluation.rates import Rates, rates_at, threshold_at_fmr
from biometrics.evaluation.scoring import NamedCohort, ScoredPairs, pair_up
from biometrics.evaluation.thresholds import choose_threshold, division, held_out
from biometrics.evaluation.trials import Trials
from biometrics.face.engine import FaceEngine
from biometrics.face.models import Views
from biometrics.face.operating_point import DEFAULT
from biometrics.face.quality_demands import NO_DEMANDS
from tests.benchmarks.accuracy_page import page
from tests.benchmarks.accuracy_photographs import detected, gated
from tests.benchmarks.accuracy_results import AtFMR, GapAt, Results, Shrunk, Travelled
from tests.benchmarks.harness import ROOT

FACES = Path(ROOT).parent / "shared" / "data" / "faces"
PAGE = Path(ROOT) / "docs" / "reference" / "accuracy.md"

DIVISIONS = 10
"""Ways to divide the people; each takes some seconds."""

TARGET_FMR = 1e-3
"""What this number of pairs supports (rule of 3), and the circular's line does not."""

PLAIN, CENTRED = "plain distance", "cohort-centred"

COLUMN = "east_se_asian_pair"
ALL, ASIAN, OTHER = "all pairs", "East and Southeast Asian pairs", "other pairs"

TRAVELLED_GROUPS = {
    (COLUMN, "1"): ASIAN,
    (COLUMN, "0"): OTHER,
    ("dataset", "lfw"): "LFW",
    ("dataset", "london"): "London",
    ("gender", "female"): "London, both women",
    ("gender", "male"): "London, both men",
}
"""Groups that are shown. The others hold too few pairs, or pairs of unknown gender."""

REPLICATES = 500
SEED = 19795


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
    """Every figure of the page. Two processes: one finds faces, the other compares them."""
    with ProcessPoolExecutor(max_workers=1) as other:
        found, said = other.submit(detected, FACES), other.submit(gated, FACES)
        pair_list = read_pairs(_with_gender((FACES / "pairs.csv").read_bytes()))
        plain, photographs = _paired(pair_list, Views.PLAIN, templates)
        full, _ = _paired(pair_list, Views.MIRROR_TWO_ALIGNMENTS, templates)
        whole = {PLAIN: _lfw(plain.trials), CENTRED: _lfw(_centred(full))}
        halves = {
            PLAIN: list(_halves(plain, is_centred=False)),
            CENTRED: list(_halves(full, is_centred=True)),
        }
        return Results(
            measured_on=datetime.now(UTC).date().isoformat(),
            data_digest=data_digest(pair_list, photographs),
            pairs=len(pair_list.pairs),
            photographs=len(pair_list.paths),
            identities=len(set(pair_list.identities.values())),
            supported_pairs=plain.trials.non_mated.independent,
            fta=counted_rate(len(photographs.failures), len(pair_list.paths)),
            default=_default_rates(plain.trials),
            at_fmr=tuple(_at_fmr(name, t, f) for name, t in whole.items() for f in (1e-2, 1e-3)),
            gaps=tuple(gap for name, trials in whole.items() for gap in _gaps(name, trials)),
            shrunk=tuple(_shrunk(whole[PLAIN], whole[CENTRED], fmr=fmr) for fmr in (1e-2, 1e-3)),
            travelled=tuple(row for name, parts in halves.items() for row in _rows(name, parts)),
            fnmr_unseen={name: _mean_fnmr_of_lfw(parts) for name, parts in halves.items()},
            detected=found.result(),
            gated=said.result(),
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


def _lfw(trials: Trials) -> Trials:
    return trials.where(trials.groups["dataset"] == "lfw")


def _groups(lfw: Trials) -> dict[str, Trials]:
    asian = lfw.groups[COLUMN] == "1"
    return {ALL: lfw, ASIAN: lfw.where(asian), OTHER: lfw.where(~asian)}


def _default_rates(trials: Trials) -> dict[str, Rates]:
    parts = {f"LFW, {name}": part for name, part in _groups(_lfw(trials)).items() if name != ALL}
    parts["London, studio, one day"] = trials.where(trials.groups["dataset"] == "london")
    threshold = -DEFAULT.decision_threshold
    return {name: rates_at(part, threshold=threshold) for name, part in parts.items()}


def _at_fmr(score: str, lfw: Trials, fmr: float) -> AtFMR:
    fnmr = {
        name: rates_at(part, threshold=threshold_at_fmr(part.non_mated, target_fmr=fmr)).fnmr
        for name, part in _groups(lfw).items()
    }
    return AtFMR(score=score, fmr=fmr, fnmr=fnmr)


def _gaps(score: str, lfw: Trials) -> Iterator[GapAt]:
    groups = _groups(lfw)
    for where in (OTHER, ALL):
        for fmr in (1e-2, 1e-3):
            threshold = threshold_at_fmr(groups[where].non_mated, target_fmr=fmr)
            rates = {name: rates_at(part, threshold=threshold) for name, part in groups.items()}
            yield GapAt(
                score=score, where=where, fmr=fmr, asian=rates[ASIAN].fmr, other=rates[OTHER].fmr
            )


def _shrunk(plain: Trials, centred: Trials, *, fmr: float) -> Shrunk:
    """Where the other pairs have one FMR, the gaps are as the FMRs of Asian pairs are."""
    scores = [plain.non_mated, centred.non_mated]
    is_asian = scores[0].groups[COLUMN] == "1"
    people, places = np.unique([scores[0].identity_a, scores[0].identity_b], return_inverse=True)
    one, other = places.reshape(2, -1)
    generator = np.random.default_rng(SEED)
    share = np.full(len(people), 1 / len(people))
    draws = [np.ones(len(people)), *generator.multinomial(len(people), share, size=REPLICATES)]
    ratios: list[float] = []
    for drawn in draws:
        weights = (drawn[one] * drawn[other]).astype(np.float64)
        rates = [_weighted_fmr(score.similarity, weights, is_asian, fmr=fmr) for score in scores]
        ratios.append(rates[0] / rates[1] if rates[1] else np.inf)
    low, high = np.quantile(ratios[1:], [0.025, 0.975])
    return Shrunk(fmr=fmr, ratio=ratios[0], low=float(low), high=float(high))


def _weighted_fmr(
    similarity: np.ndarray[tuple[int], np.dtype[np.float64]],
    weights: np.ndarray[tuple[int], np.dtype[np.float64]],
    is_asian: np.ndarray[tuple[int], np.dtype[np.bool_]],
    *,
    fmr: float,
) -> float:
    """FMR of Asian pairs above the similarity at which the other pairs have `fmr`."""
    others, counted = similarity[~is_asian], weights[~is_asian]
    order = np.argsort(others)[::-1]
    passed = np.cumsum(counted[order]) / counted.sum()
    threshold = others[order][np.searchsorted(passed, fmr, side="right")]
    matching = weights[is_asian & (similarity > threshold)].sum()
    return float(matching / weights[is_asian].sum())


def _halves(pairs: ScoredPairs, *, is_centred: bool) -> Iterator[tuple[Trials, Trials]]:
    """Trials of the half that chooses, and of the half that is counted."""
    for seed in range(DIVISIONS):
        half = division(pairs.trials, seed=seed)
        rest = np.setdiff1d(pairs.trials.identities, half)
        one, other = (pairs.where(pairs.trials.among(people)) for people in (half, rest))
        if is_centred:
            cohort = NamedCohort.from_pairs(one)
            yield cohort_trials(one, cohort), cohort_trials(other, cohort)
        else:
            yield one.trials, other.trials


def _mean_fnmr_of_lfw(halves: list[tuple[Trials, Trials]]) -> float:
    values = []
    for _, counts in halves:
        lfw = _lfw(counts)
        threshold = threshold_at_fmr(lfw.non_mated, target_fmr=TARGET_FMR)
        values.append(float(np.mean(lfw.mated.similarity < threshold)))
    return float(np.mean(values))


def _rows(score: str, halves: list[tuple[Trials, Trials]]) -> Iterator[Travelled]:
    print(f"thresholds of half of the people, {score} …", flush=True)
    learned = [
        (
            choose_threshold(chooses, target_fmr=TARGET_FMR).threshold,
            held_out(chooses, target_fmr=TARGET_FMR).groups,
        )
        for chooses, _ in halves
    ]
    for group, name in TRAVELLED_GROUPS.items():
        column, value = group
        fmrs, fnmrs, highs, people_pairs, inside = [], [], [], [], 0
        for (threshold, stated), (_, counts) in zip(learned, halves, strict=True):
            part = counts.where(counts.groups[column] == value)
            fmr = float(np.mean(part.non_mated.similarity >= threshold))
            inside += stated[group].low <= fmr <= stated[group].high
            fmrs.append(fmr)
            highs.append(stated[group].high)
            people_pairs.append(part.non_mated.independent)
            if len(part.mated):
                fnmrs.append(float(np.mean(part.mated.similarity < threshold)))
        yield Travelled(
            score=score,
            group=name,
            people_pairs=float(np.mean(people_pairs)),
            fmr=float(np.mean(fmrs)),
            fnmr=float(np.mean(fnmrs)) if fnmrs else None,
            inside=inside,
            divisions=len(fmrs),
            stated_high=float(np.mean(highs)),
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
