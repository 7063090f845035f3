"""Registration measured: how exactly known similarities are recovered; quality and time beside kornia's registrator.

usage: PYTHONPATH=.:tests/registration python tests/benchmarks/registration.py [--photos 50] [--kornia 64]
       [--threads N] [--device cpu] [--json OUT] [--overlays FOLDER]

Each annotated body is photographed anew by random similarities, with a bulge on the belly's side of its mask. Errors
are root mean square distances over the body's pixels between the recovered and the true transform, in per cent of the
body's height (the longer side of its box).
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from annotated_bodies import Body, body_pixels, draw, photographed, read_bodies
from kornia.geometry import ImageRegistrator
from kornia.geometry.conversions import denormalize_homography
from PIL import Image
from rich.console import Console
from rich.table import Table
from torch.nn.functional import mse_loss

from alignimation_index.datatypes import KEYPOINT_NAMES
from alignimation_index.registration.bodies import Bodies, register_bodies, template_from_reference
from alignimation_index.registration.closed_form import fit_robustly
from alignimation_index.registration.engine import Settings, register_masks
from alignimation_index.registration.faces import FACE_TEMPLATE, register_faces
from alignimation_index.registration.keypoints import choose_side, columns_of
from alignimation_index.registration.masks import SIGMA, frame_masks, gaussians, semantic_masks
from alignimation_index.similarity import apply, compose, invert, scale_of

SIDE_PX = 128
BATCH = 64
NOISE = 0.02
EDGE_NOISE = 0.01
DEFAULT = "refined, three"


@dataclass
class Case:
    """A body as annotated, and photos of it."""

    body: Body
    reference: Bodies
    photos: Bodies
    photo_from_original: np.ndarray
    pixels: np.ndarray

    def with_noise(self, random: np.random.Generator, noise: float) -> Bodies:
        deviation = noise * self.body.height * scale_of(self.photo_from_original)[:, None, None]
        keypoints = self.photos.keypoints + random.normal(0, 1, self.photos.keypoints.shape) * deviation
        return Bodies(self.photos.masks, keypoints, self.photos.seen)

    def errors(self, template_from_photo: np.ndarray) -> np.ndarray:
        """(N,) per cent of the body's height."""
        original_from_template = invert(template_from_reference(self.reference))
        back = compose(compose(original_from_template, template_from_photo), self.photo_from_original)
        squared = ((apply(back, self.pixels) - self.pixels) ** 2).sum(-1)
        return 100 * np.sqrt(squared.mean(-1)) / self.body.height


def make_case(random: np.random.Generator, body: Body, photos: int, edge_deviation: float) -> Case:
    size = tuple(np.ceil(np.concatenate(body.polygons).max(0)).astype(int) + 40)
    masks, keypoints, matrices = zip(*(photographed(random, body, edge_deviation) for _ in range(photos)), strict=True)
    reference = Bodies(frame_masks([draw(body.polygons, size)]), body.keypoints[None], body.seen[None])
    bodies = Bodies(frame_masks(masks), np.array(keypoints), np.repeat(body.seen[None], photos, 0))
    return Case(body, reference, bodies, np.array(matrices), body_pixels(body))


def points_of(case: Case, bodies: Bodies, names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """(N, K, 2) and (K, 2): those seen of the keypoints, in pixels of the squares."""
    columns = columns_of(names)
    columns = columns[case.body.seen[columns] > 0]
    photo = apply(bodies.masks.frame_from_photo, bodies.keypoints[:, columns])
    return photo, apply(case.reference.masks.frame_from_photo[0], case.body.keypoints[columns])


def to_unit(case: Case, bodies: Bodies, frame_from_frame: np.ndarray) -> np.ndarray:
    unit_from_frame = compose(template_from_reference(case.reference), invert(case.reference.masks.frame_from_photo[0]))
    return compose(unit_from_frame, compose(frame_from_frame, bodies.masks.frame_from_photo))


def register_all_ways(case: Case, bodies: Bodies, device: str) -> dict[str, np.ndarray]:
    """Errors of every way to register the photos of a body."""
    errors = {}
    for label, names in (("three", choose_side(case.body.seen[None])), ("all seen", KEYPOINT_NAMES)):
        photo, place = points_of(case, bodies, names)
        start = fit_robustly(photo, place, np.ones(photo.shape[:2]), SIGMA * SIDE_PX)
        errors[f"closed form, {label}"] = case.errors(to_unit(case, bodies, start))
        drawn = semantic_masks(bodies.masks.pixels, photo)
        template = semantic_masks(case.reference.masks.pixels, place[None])[0]
        recipe = register_masks(drawn, template, start, device=device).template_from_photo
        errors[f"recipe's masks, {label}"] = case.errors(to_unit(case, bodies, recipe))
        found = register_bodies(bodies, case.reference, names, device=device)
        errors[f"refined, {label}"] = case.errors(found.template_from_photo)
    return errors


def measure_recovery(cases: list[Case], noise: float, seed: int, device: str) -> dict[str, Any]:
    """Percentiles over all photos, and how often a photo, and a body's median, is worse than the closed form."""
    random = np.random.default_rng(seed)
    ways = [register_all_ways(case, case.with_noise(random, noise), device) for case in cases]
    rows = {}
    for way in ways[0]:
        errors = np.array([each[way] for each in ways])
        closed = np.array([each[f"closed form, {way.split(', ')[1]}"] for each in ways])
        rows[way] = {
            **{f"p{p}": float(np.percentile(errors, p)) for p in (50, 95, 99, 100)},
            "photos_worse": float((errors > closed).mean()),
            "bodies_worse": int((np.median(errors, 1) > np.median(closed, 1)).sum()),
        }
    return rows


def timed(work: Any) -> tuple[Any, float, float]:
    """What it returns, the seconds it took, and the seconds of processor: those tell on a busy machine."""
    begin, begin_cpu = time.perf_counter(), time.process_time()
    return work(), time.perf_counter() - begin, time.process_time() - begin_cpu


def kornia_registration(moving: torch.Tensor, template: torch.Tensor) -> np.ndarray:
    """template_from_photo in pixels, (2, 3)."""
    registrator = ImageRegistrator("similarity", loss_fn=mse_loss, tolerance=1e-8)
    found = registrator.register(moving[None], template[None])
    size = tuple(template.shape[-2:])
    pixels = denormalize_homography(found.detach(), size, size, align_corners=False)
    return invert(pixels[0, :2].numpy())


def losses_of(moving: Any, template: Any, matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N,) mean squared difference, and the sum of both directions' that kornia minimises."""
    still = Settings(levels=1, max_iterations=0)
    forth = register_masks(moving, template, matrices, settings=still).loss_before
    back = register_masks(template, moving, invert(matrices), settings=still).loss_before
    return forth, forth + back


def compare_with_kornia(cases: list[Case], count: int, device: str) -> dict[str, Any]:
    """Recipe's masks of photos of all bodies in one batch, by both methods; keypoints with noise."""
    random = np.random.default_rng(3)
    drawn, templates, starts = [], [], []
    for number in range(BATCH):
        case = cases[number % len(cases)]
        row = (number // len(cases)) % len(case.photos)
        bodies = case.with_noise(random, NOISE).at(row)
        photo, place = points_of(case, bodies, choose_side(case.body.seen[None]))
        photo, place = (
            np.concatenate([part, np.full((*part.shape[:-2], 3 - part.shape[-2], 2), np.nan)], -2)
            for part in (photo, place)
        )
        there = np.isfinite(place).all(-1)
        starts.append(fit_robustly(photo[0, there], place[there], np.ones(there.sum()), SIGMA * SIDE_PX))
        drawn.append(semantic_masks(bodies.masks.pixels, photo)[0])
        templates.append(semantic_masks(case.reference.masks.pixels, place[None])[0])
    moving, template = torch.from_numpy(np.array(drawn)), torch.from_numpy(np.array(templates))
    return _compare(moving, template, np.array(starts), count, device)


def _compare(
    moving: torch.Tensor, template: torch.Tensor, starts: np.ndarray, count: int, device: str
) -> dict[str, Any]:
    place = {"device": device}
    register_masks(moving[:2], template[:2], starts[:2], **place)
    runs = [timed(lambda: register_masks(moving, template, starts, **place)) for _ in range(3)]
    ours, *seconds = min(runs, key=lambda run: run[1])
    seconds = [each / len(moving) for each in seconds]
    pairs = zip(moving[:count], template[:count], strict=True)
    theirs = [timed(lambda pair=pair: kornia_registration(*pair)) for pair in pairs]
    kornia_matrices, found = np.array([run[0] for run in theirs]), ours.template_from_photo[:count]
    kornia_seconds = np.mean([run[1:] for run in theirs], axis=0)
    ours_loss = losses_of(moving[:count], template[:count], found)
    kornia_loss = losses_of(moving[:count], template[:count], kornia_matrices)
    off = apply(kornia_matrices, corners()) - apply(found, corners())
    return {
        "batch": len(moving),
        "kornia_photos": count,
        **ratio(kornia_seconds, seconds),
        "loss_no_higher": float((ours_loss[0] <= kornia_loss[0] * (1 + 1e-6)).mean()),
        "both_ways_no_higher": float((ours_loss[1] <= kornia_loss[1] * (1 + 1e-6)).mean()),
        "kornia_loss": float(np.mean(kornia_loss[0])),
        "engine_loss": float(np.mean(ours_loss[0])),
        "kornia_apart_percent_of_side": float(np.median(np.linalg.norm(off, axis=-1).mean(-1)) / SIDE_PX * 100),
        "iterations": float(ours.iterations.mean()),
        "converged": float(ours.converged.mean()),
    }


def corners() -> np.ndarray:
    return np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * (SIDE_PX - 1)


def compare_faces(count: int) -> dict[str, Any]:
    """Faces: the closed form over 10,000 of them, and kornia on drawings of a few."""
    random = np.random.default_rng(4)
    faces = 128 * (FACE_TEMPLATE + random.normal(0, 0.02, (10_000, 5, 2)))
    closed = np.array(timed(lambda: register_faces(faces))[1:]) / len(faces)
    template = torch.from_numpy(gaussians(FACE_TEMPLATE * SIDE_PX - 0.5, SIDE_PX))
    drawn = [torch.from_numpy(gaussians(face - 0.5, SIDE_PX)) for face in faces[:count]]
    runs = [timed(lambda face=face: kornia_registration(face, template))[1:] for face in drawn]
    return ratio(np.mean(runs, axis=0), closed)


def ratio(kornia: Any, ours: Any) -> dict[str, float]:
    """Seconds and processor seconds per photo of both, and how many times faster ours is by either."""
    return {
        "kornia_s": float(kornia[0]),
        "kornia_cpu_s": float(kornia[1]),
        "ours_s": float(ours[0]),
        "ours_cpu_s": float(ours[1]),
        "times_faster": float(kornia[0] / ours[0]),
        "times_less_cpu": float(kornia[1] / ours[1]),
    }


def draw_overlays(case: Case, bodies: Bodies, folder: Path, device: str) -> None:
    """Template red, photo green, where both are yellow: closed form left, refined right; four photos."""
    names = choose_side(case.body.seen[None])
    photo, place = points_of(case, bodies, names)
    start = fit_robustly(photo, place, np.ones(photo.shape[:2]), SIGMA * SIDE_PX)
    unit = register_bodies(bodies, case.reference, names, device=device).template_from_photo
    to_frame = np.array([[SIDE_PX, 0, -0.5], [0, SIDE_PX, -0.5]])
    refined = compose(compose(to_frame, unit), invert(bodies.masks.frame_from_photo))
    rows = [np.concatenate([overlay(case, bodies, row, m[row]) for m in (start, refined)], 1) for row in range(4)]
    sheet = Image.fromarray(np.concatenate(rows))
    sheet.resize((sheet.width * 2, sheet.height * 2), Image.Resampling.NEAREST).save(folder / f"{case.body.name}.png")


def overlay(case: Case, bodies: Bodies, row: int, matrix: np.ndarray) -> np.ndarray:
    size = (SIDE_PX, SIDE_PX)
    source = Image.fromarray((bodies.masks.pixels[row, 0] * 255).astype(np.uint8))
    moved = source.transform(size, Image.Transform.AFFINE, tuple(invert(matrix).ravel()), Image.Resampling.BILINEAR)
    template = (case.reference.masks.pixels[0, 0] * 255).astype(np.uint8)
    return np.stack([template, np.asarray(moved), np.zeros_like(template)], -1)


def show_recovery(console: Console, title: str, rows: dict[str, Any]) -> None:
    table = Table("way", "median %", "95th", "99th", "worst", "photos worse", "bodies worse", title=title)
    for way, row in sorted(rows.items(), key=lambda item: item[0]):
        figures = [f"{row[f'p{p}']:.3f}" for p in (50, 95, 99, 100)]
        name = f"[bold]{way} (default)[/bold]" if way == DEFAULT else way
        table.add_row(name, *figures, f"{100 * row['photos_worse']:.1f} %", str(row["bodies_worse"]))
    console.print(table)


def show_figures(console: Console, title: str, figures: dict[str, Any]) -> None:
    table = Table("figure", "value", title=title)
    for name, value in figures.items():
        table.add_row(name, f"{value:.4g}")
    console.print(table)


def measure_all(console: Console, result: dict[str, Any], bodies: list[Body], cases: list[Case], options: Any) -> None:
    """The three tables of recovery."""
    wavering = [make_case(np.random.default_rng(2), body, options.photos, EDGE_NOISE) for body in bodies]
    for key, title, made, noise in (
        ("exact", "Exact keypoints", cases, 0.0),
        ("noisy", "Keypoints off by 2 % of the height", cases, NOISE),
        ("noisy_edges", "Keypoints off by 2 %, contours by 1 %", wavering, NOISE),
    ):
        result[key] = measure_recovery(made, noise, 1, options.device)
        show_recovery(console, title, result[key])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=50)
    parser.add_argument("--kornia", type=int, default=BATCH, help="photos of the batch that kornia registers too")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--overlays", type=Path)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="of torch, for both methods")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    console = Console(width=120)
    random = np.random.default_rng(0)
    bodies = read_bodies()
    cases = [make_case(random, body, options.photos or 4, 0.0) for body in bodies]
    result: dict[str, Any] = {
        "machine": platform.processor(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    if options.kornia:
        result["kornia"] = compare_with_kornia(cases, options.kornia, options.device)
        show_figures(console, "The recipe's masks, one batch, beside kornia's ImageRegistrator", result["kornia"])
        result["faces"] = compare_faces(5)
        show_figures(console, "Faces, per face", result["faces"])
    if options.photos:
        measure_all(console, result, bodies, cases, options)
    if options.overlays:
        options.overlays.mkdir(parents=True, exist_ok=True)
        for case in cases:
            draw_overlays(case, case.with_noise(random, NOISE), options.overlays, options.device)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
