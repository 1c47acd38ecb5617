"""Where a business date begins, by the database of zones that the dbt project asks too."""

from datetime import date, datetime, time


def midnight(day: date, time_zone: str) -> datetime:
    """Return the first moment of `day` in an IANA zone, in UTC and without a zone of its own.

    Where the clock is put back at midnight, the first of two; where it is put forward, the moment
    at which that happens. As in the macro `close_moment`.

    Raises:
        OverflowError: the moment lies outside the years 1 to 9999.
    """
    import pytz

    zone = pytz.timezone(time_zone)
    wall = datetime.combine(day, time.min)
    found = zone.localize(wall, is_dst=True)
    if zone.normalize(found).replace(tzinfo=None) != wall:
        found = zone.localize(wall, is_dst=False)
    utc: datetime = found.astimezone(pytz.utc).replace(tzinfo=None)
    return utc
