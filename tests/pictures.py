"""Pictures of every format, orientation and colour space, as bytes."""

import io

import numpy as np
from PIL import Image, ImageCms

# What Pillow does to turn a picture upright, undone.
STORED_FROM_UPRIGHT = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def register_heif():
    import pillow_heif

    pillow_heif.register_heif_opener()


def encode(image, file_format="PNG", **options):
    if file_format == "HEIF":
        register_heif()
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def asymmetric(width=192, height=128):
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    return Image.fromarray(np.uint8(255 * np.stack([x, y, (x * y) ** 2], axis=-1)))


def with_orientation(upright, orientation, file_format="JPEG", **options):
    transpose = STORED_FROM_UPRIGHT[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = upright if transpose is None else upright.transpose(transpose)
    return encode(stored, file_format, exif=exif.tobytes(), **options)


def profile_with_red_and_green_exchanged():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile.replace(b"rXYZ", b"tmp ").replace(b"gXYZ", b"rXYZ").replace(b"tmp ", b"gXYZ")
    return profile.replace("sRGB".encode("utf-16-be"), "Swap".encode("utf-16-be"))
