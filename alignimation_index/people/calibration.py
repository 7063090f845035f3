"""How faces of one person differ, and faces of two: the coefficients for each embedder.

The model. A face of age a is x = m(a) + √v(a) · z. The mean face m and the spread v around it change with age, since
children look alike. z is what makes a face its person's: along a life it drifts as an Ornstein–Uhlenbeck process in
s = log(a + c), since a child changes faster than an adult, and every photo adds noise. So the correlation of two faces
of one person is r · exp(−|s₁ − s₂| / l), and that of two people is nil. Faces also tell their age, by a linear
regression of log(a + 10) with a Gaussian error. A person's birth year is unknown: it is integrated over.

All dimensions of z count alike, and together as many as `dimensions` independent ones: with few people to fit on, a
common number generalises where a covariance matrix does not.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from alignimation_index.people.faces import Reals

COEFFICIENTS = Path(__file__).parent / "coefficients"
OLDEST = 85
AGE_OFFSET = 10.0


@dataclass(frozen=True)
class Calibration:
    """The coefficients of one embedder.

    Attributes:
        provenance: what they were fitted on, and how.
        mean: D numbers, the mean face over all ages.
        knots: K ages in years, between which mean and spread are linear.
        mean_at_knots: K × D, what the mean face of that age differs by.
        spread_at_knots: K numbers, mean squared distance of faces of that age to their mean.
        correlation: r, of two photos of one person of one age.
        drift: l, in which s has to change for the correlation to fall to 1/e.
        drift_offset: c in s = log(age + c), in years.
        dimensions: independent dimensions of the embedding.
        age_weights: D weights of the regression of log(age + 10), or none if the embedder tells no age.
        age_intercept: its intercept.
        age_error: standard deviation of its error.
        threshold: log-odds above which groups of faces are one person.
    """

    provenance: str
    mean: tuple[float, ...]
    knots: tuple[float, ...]
    mean_at_knots: tuple[tuple[float, ...], ...]
    spread_at_knots: tuple[float, ...]
    correlation: float
    drift: float
    drift_offset: float
    dimensions: float
    age_weights: tuple[float, ...]
    age_intercept: float
    age_error: float
    threshold: float

    @cached_property
    def digest(self) -> str:
        """A hash of all coefficients."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]

    @cached_property
    def interpolation(self) -> Reals:
        """(OLDEST + 1, K): the weight of each knot for every whole age."""
        ages = np.arange(OLDEST + 1)
        return np.stack([np.interp(ages, self.knots, row) for row in np.eye(len(self.knots))], axis=1)

    @cached_property
    def spread(self) -> Reals:
        """(OLDEST + 1,): v at every whole age."""
        return np.asarray(self.interpolation @ np.array(self.spread_at_knots), np.float64)

    @cached_property
    def drifted(self) -> Reals:
        """(OLDEST + 1,): exp(s / l) at every whole age; the drift between two ages is the ratio of the two."""
        return np.asarray((np.arange(OLDEST + 1) + self.drift_offset) ** (1 / self.drift), np.float64)


def read_calibration(path: Path) -> Calibration:
    """Read coefficients; the keys of the JSON are those of Calibration."""
    return Calibration(**{key: _frozen(value) for key, value in json.loads(path.read_text()).items()})


def _frozen(value: Any) -> Any:  # noqa: ANN401
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value


CALIBRATIONS = {
    "dlib-resnet": read_calibration(COEFFICIENTS / "dlib-resnet.json"),
    "facenet-vggface2": read_calibration(COEFFICIENTS / "facenet-vggface2.json"),
}
