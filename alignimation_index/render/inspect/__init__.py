"""What the index sees on a photo, as a picture for people who would rather look than read."""
