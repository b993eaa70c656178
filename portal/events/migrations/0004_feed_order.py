"""The feed's order: which transaction wrote an event, and below which number none is still writing.

`events_feed_offset` is replaced when a backup is restored on a server that has counted fewer transactions
(portal/database.py).
"""

from django.db import migrations, models

FUNCTIONS = """
CREATE FUNCTION events_feed_offset() RETURNS bigint STABLE RETURN 0::bigint;
CREATE FUNCTION events_xid() RETURNS bigint STABLE
    RETURN pg_current_xact_id()::text::bigint + events_feed_offset();
CREATE FUNCTION events_horizon() RETURNS bigint STABLE
    RETURN pg_snapshot_xmin(pg_current_snapshot())::text::bigint + events_feed_offset();
"""
NONE = """
DROP FUNCTION events_horizon();
DROP FUNCTION events_xid();
DROP FUNCTION events_feed_offset();
"""


class Migration(migrations.Migration):
    dependencies = [("events", "0003_versions")]

    operations = [
        migrations.RunSQL(FUNCTIONS, NONE),
        migrations.AddField(
            "event", "xid", models.BigIntegerField(db_default=models.Func(function="events_xid"), editable=False)
        ),
        migrations.AddIndex("event", models.Index(fields=["xid", "id"], name="events_event_feed")),
    ]
