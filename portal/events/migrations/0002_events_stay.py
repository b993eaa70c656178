"""Nobody changes or deletes an event, not even the table's owner. To mend one, the owner disables the trigger first."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION events_event_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Events are never changed or deleted; % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER events_event_stay BEFORE UPDATE OR DELETE ON events_event
    FOR EACH STATEMENT EXECUTE FUNCTION events_event_refuse();
CREATE TRIGGER events_event_stay_all BEFORE TRUNCATE ON events_event
    FOR EACH STATEMENT EXECUTE FUNCTION events_event_refuse();
"""
ALLOW = """
DROP TRIGGER events_event_stay_all ON events_event;
DROP TRIGGER events_event_stay ON events_event;
DROP FUNCTION events_event_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]

    operations = [migrations.RunSQL(REFUSE, ALLOW)]
