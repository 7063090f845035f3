"""Which stages there are, in which order, and what each depends on."""

from __future__ import annotations

from collections.abc import Mapping

from alignimation_index.models.faces import FaceModelIds
from alignimation_index.people.assign import REACH
from alignimation_index.registration import faces as registration
from alignimation_index.stages import close_up, detect, pose, quality
from alignimation_index.stages.stage import Key, Stage, keys_of

METADATA, DETECT, LANDMARKS, EMBED = "metadata", "detect", "landmarks", "embed"
POSE, QUALITY, REGISTER, ASSIGN = "pose", "quality", "register", "assign"

# Upstream first; all but the last look at one photo at a time.
PHOTO_STAGES = (METADATA, DETECT, LANDMARKS, EMBED, POSE, QUALITY, REGISTER)
STAGES = (*PHOTO_STAGES, ASSIGN)


def stage_keys(models: FaceModelIds) -> Mapping[str, Key]:
    """The key of each stage, in the order of STAGES, with these networks."""
    return keys_of(
        [
            Stage(METADATA, 1),
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
            Stage(ASSIGN, 1, (EMBED,), dict(vars(REACH[models.embedder]))),
        ]
    )
