"""The names that are not to be read again, from the store."""

from __future__ import annotations

from sqlalchemy.orm import Session

from alignimation_index.people.forgotten_names import ForgottenNames
from alignimation_index.store import tombstones


def forgotten_names(session: Session) -> ForgottenNames:
    """As they were forgotten so far."""
    return ForgottenNames(tombstones.salt(session), tombstones.forgotten_digests(session))
