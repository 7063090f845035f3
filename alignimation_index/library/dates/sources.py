"""Where a photo's date may come from."""

SOURCES = ("answer", "exif", "sidecar", "xmp", "name", "folder-year", "exif-modified", "mtime")
"""The most trusted first."""
