"""The astronaut's face: its landmarks marked by hand, and the picture resized."""

import numpy as np
from PIL import Image

# Marked on the enlarged picture: pupils, tip of the nose, mouth corners.
TRUE_LANDMARKS = np.array([[202.8, 100.3], [246.8, 102.6], [223.6, 125.8], [203.9, 139.8], [243.4, 141.0]])
EYE_DISTANCE_PX = 44.1


def resized(image, scale):
    """The picture at another size, and `resized_from_image`."""
    side = round(image.shape[0] * scale)
    exact = side / image.shape[0]
    shrunk = np.array(Image.fromarray(image).resize((side, side), Image.Resampling.LANCZOS))
    return shrunk, np.array([[exact, 0, (exact - 1) / 2], [0, exact, (exact - 1) / 2]])


def share_px(images, share=0.025):
    """The smallest face to look for in each image: a share of its shorter side."""
    return [share * min(image.shape[:2]) for image in images]
