"""Each alert once by each way: the database's key says what has been told, whoever looks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import insert, select

from pipeline.errors import DeliveryError, RecordsError
from pipeline.records.database import ALERTS, Records, now
from pipeline.tell.alerts import Alert
from pipeline.tell.send import Channel


def tell(
    records: Records, place: str, alerts: Iterable[Alert], ways: Mapping[str, Channel]
) -> tuple[list[str], list[str]]:
    """Send what has not been sent by each way: (keys told, problems). What fails stays to be told.

    The row and the message stand in one transaction: a message that fails leaves no row, and of two
    who look at once one waits and finds it told.
    """
    told, problems = [], []
    for alert in alerts:
        for way, send in ways.items():
            if _is_told(records, place, alert.key, way):
                continue
            try:
                with records.writing("echelon", "tell", alert.key[:400], way) as connection:
                    connection.execute(insert(ALERTS).values(
                        place=place, alert_key=alert.key, way=way, recorded_at=now()
                    ))  # fmt: skip
                    send(alert)
                told.append(f"{way}: {alert.key}")
            except DeliveryError as error:
                problems.append(str(error))
            except RecordsError:
                if not _is_told(records, place, alert.key, way):
                    raise
    return told, problems


def _is_told(records: Records, place: str, key: str, way: str) -> bool:
    query = select(ALERTS.c.way).where(
        ALERTS.c.place == place, ALERTS.c.alert_key == key, ALERTS.c.way == way
    )
    with records.reading() as connection:
        return connection.execute(query).first() is not None
