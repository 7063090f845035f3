"""Faces drawn from the model that the assignment believes in: people who age, seen by an embedder."""

import numpy as np

from alignimation_index.people.calibration import CALIBRATIONS, OLDEST
from alignimation_index.people.faces import NOBODY, Evidence, Faces

CALIBRATION = CALIBRATIONS["dlib-resnet"]
# As many as the calibration counts; with all 128, people would be easier to tell apart than they are.
INDEPENDENT = 30


def seconds(year):
    return (year - 1970) * 365.25 * 86400


class Life:
    """A person born in a year, whose face drifts."""

    def __init__(self, seed, born=1960):
        self.random = np.random.default_rng(seed)
        self.born = born
        self.axes = np.linalg.qr(np.random.default_rng(0).normal(size=(128, INDEPENDENT)))[0]
        self.steps = np.log(np.arange(OLDEST + 1) + CALIBRATION.drift_offset)
        walk = [self.random.normal(size=INDEPENDENT)]
        for step in np.diff(self.steps):
            kept = np.exp(-step / CALIBRATION.drift)
            walk.append(kept * walk[-1] + np.sqrt(1 - kept**2) * self.random.normal(size=INDEPENDENT))
        self.walk = np.array(walk)

    def seen(self, years):
        """(n, 128) vectors of photos taken in these years."""
        ages = np.floor(np.asarray(years) - self.born).astype(int)
        noise = self.random.normal(size=(len(ages), INDEPENDENT))
        z = np.sqrt(CALIBRATION.correlation) * self.walk[ages] + np.sqrt(1 - CALIBRATION.correlation) * noise
        mean = CALIBRATION.interpolation[ages] @ np.array(CALIBRATION.mean_at_knots)
        spread = np.sqrt(CALIBRATION.spread[ages] / INDEPENDENT)[:, None]
        return (np.array(CALIBRATION.mean) + mean + spread * (z @ self.axes.T)).astype(np.float32)


def faces_of(*seen, photos=None):
    """Faces of (life, years), each on a photo of its own unless `photos` tells otherwise, and who they are."""
    vectors = np.concatenate([life.seen(years) for life, years in seen])
    years = np.concatenate([np.asarray(years, float) for _, years in seen])
    who = np.concatenate([np.full(len(years), place) for place, (_, years) in enumerate(seen)])
    photos = np.arange(len(years)) if photos is None else np.asarray(photos)
    return Faces(vectors, photos, seconds(years), np.ones(len(years))), who


def evidence_of(faces, **known):
    """Evidence with some of it given; (N,) arrays as a mapping row → value."""
    empty = Evidence.none(len(faces))
    answered, settled, ignored = empty.answered.copy(), empty.settled.copy(), empty.ignored.copy()
    for row, label in known.pop("answered", {}).items():
        answered[row] = label
    for row, label in known.pop("settled", {}).items():
        settled[row] = label
    ignored[known.pop("ignored", [])] = True
    given = {"rejected": frozenset(), "born_s": {}, "apart": frozenset(), **known}
    return Evidence(answered, settled, given["rejected"], ignored, given["born_s"], given["apart"])


def partition(labels):
    """Which faces are together; who waits is alone."""
    groups = {}
    for place, label in enumerate(labels):
        groups.setdefault(("waits", place) if label == NOBODY else label, set()).add(place)
    return {frozenset(group) for group in groups.values()}
