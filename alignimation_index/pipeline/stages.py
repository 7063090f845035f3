"""Which stages there are, in which order, and what each depends on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from alignimation_index.library.variants import groups, similar
from alignimation_index.models.faces import FaceModelIds
from alignimation_index.people.calibration import CALIBRATIONS
from alignimation_index.registration import faces as registration
from alignimation_index.stages import bodies, close_up, detect, fingerprint, pose, quality
from alignimation_index.stages.stage import Key, Stage, keys_of
from alignimation_index.store import schema

METADATA, DETECT, FINGERPRINT, LANDMARKS, EMBED = "metadata", "detect", "fingerprint", "landmarks", schema.EMBED
POSE, QUALITY, REGISTER = "pose", "quality", "register"
DESCRIBE, VARIANTS, ASSIGN = schema.DESCRIBE, "variants", schema.ASSIGN

# Upstream first. Those of photos look at one photo at a time, describe at what speaks of it, the last at all of them.
# Fingerprints are taken of what detection decodes.
PHOTO_STAGES = (METADATA, DETECT, FINGERPRINT, LANDMARKS, EMBED, POSE, QUALITY, REGISTER)
STAGES = (*PHOTO_STAGES, DESCRIBE, VARIANTS, ASSIGN)

# The costliest looks at one photo at a time, too, but only where somebody wants bodies.
BODIES = schema.BODIES


def stage_keys(models: FaceModelIds) -> Mapping[str, Key]:
    """The key of each stage, in the order of STAGES, with these networks."""
    return keys_of([*_of_photos(models), *_of_the_library(models)])


def bodies_key(model: str, full_masks: bool) -> Key:
    """The key of the stage that finds bodies, with this network."""
    params = {
        "decoded_side_px": bodies.DECODED_SIDE_PX,
        "mask_side_px": None if full_masks else bodies.MASK_SIDE_PX,
    }
    return keys_of([Stage(BODIES, 1, params=params, model=model)])[BODIES]


def _of_photos(models: FaceModelIds) -> list[Stage]:
    return [
        Stage(METADATA, 2),
        Stage(
            DETECT,
            4,
            params={
                "decoded_face_px": detect.DECODED_FACE_PX,
                "detected_face_px": detect.DETECTED_FACE_PX,
                "min_face_share": models.min_face_share,
            },
            model=models.detector,
        ),
        Stage(
            FINGERPRINT,
            1,
            params={
                "decoded_side_px": detect.decode_side_px(models.min_face_share),
                "min_contrast": fingerprint.MIN_CONTRAST,
            },
        ),
        Stage(LANDMARKS, 3, (DETECT,), {"face_detail_px": close_up.FACE_DETAIL_PX}, models.refiner),
        Stage(EMBED, 2, (LANDMARKS,), {"face_detail_px": close_up.FACE_DETAIL_PX}, models.embedder),
        Stage(
            POSE,
            1,
            (LANDMARKS,),
            {
                "max_yaw_deg": pose.FRONTAL_MAX_YAW_DEG,
                "max_pitch_deg": pose.FRONTAL_MAX_PITCH_DEG,
                "min_symmetry": pose.FRONTAL_MIN_SYMMETRY,
            },
        ),
        Stage(
            QUALITY,
            2,
            (LANDMARKS,),
            {"full_size_px": quality.FULL_SIZE_PX, "full_sharpness": quality.FULL_SHARPNESS},
        ),
        Stage(
            REGISTER,
            1,
            (LANDMARKS,),
            {
                "template": registration.FACE_TEMPLATE.tolist(),
                "weights": list(registration.LANDMARK_WEIGHTS),
                "sigma": registration.SIGMA,
            },
        ),
    ]


def _of_the_library(models: FaceModelIds) -> list[Stage]:
    return [
        Stage(DESCRIBE, 1, (METADATA,)),
        Stage(
            VARIANTS,
            1,
            (FINGERPRINT, QUALITY, DESCRIBE),
            {
                "copy": [similar.COPY_BITS, similar.COPY_TONE, similar.COPY_MEAN_TONE, similar.COPY_ASPECT],
                "twin": [similar.TWIN_BITS, similar.TWIN_TONE, similar.TWIN_MEAN_TONE],
                "burst": [similar.BURST_GAP.total_seconds(), similar.BURST_BITS, similar.BURST_MEAN_TONE],
                "min_developed_share": groups.MIN_DEVELOPED_SHARE,
            },
        ),
        Stage(ASSIGN, 2, (EMBED, QUALITY, DESCRIBE), {"calibration": CALIBRATIONS[models.embedder].digest}),
    ]


def with_upstream(chosen: Collection[str], keys: Mapping[str, Key]) -> set[str]:
    """These stages and all that they read."""
    wanted = set(chosen)
    for stage in reversed(list(keys)):
        if stage in wanted:
            wanted |= keys[stage].made_of["upstream"].keys()
    return wanted


def uses_networks(stages: Iterable[str], keys: Mapping[str, Key]) -> bool:
    """Whether any of these stages runs a network."""
    return any(keys[stage].made_of["model"] for stage in stages)
