"""Which rules sidecars were paired by; apart from the rules, so that asking for it imports nothing."""

PAIRING_VERSION = "1"
"""Raised by whoever changes a rule in `pairing`: every folder is paired again."""
