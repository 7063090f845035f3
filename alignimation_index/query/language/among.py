"""Conditions that a photo is among some others, put so that SQLite is quick whether these are few or many."""

from __future__ import annotations

import json
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from alignimation_index.query.language.rows import Row

FEW = 20_000


def among(session: Session, row: Row, photos: Select[Any]) -> ColumnElement[bool]:
    """Whether the row's photo is one of `photos`, a select of ids whose tables are in no statement around it.

    To count, all are found at once. Else few are looked up, and their rows found by an index; of many the first are
    shown before all are known: each row of the statement is then looked at in its order.
    """
    photo_id = row.photo_id
    if row.counted:
        return cast("ColumnElement[bool]", photo_id.in_(photos))
    ids = session.scalars(photos.limit(FEW + 1)).all()
    if len(ids) > FEW:
        return photos.where(photos.selected_columns[0] == photo_id).exists()
    few = func.json_each(json.dumps(list(set(ids)))).table_valued("value")
    return cast("ColumnElement[bool]", photo_id.in_(select(few.c.value)))
