"""Nobody changes or deletes an invoice, not even the table's owner; a wrong one is credited (ISV-5)."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION isvconnect_invoice_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Invoices are never changed or deleted; % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER isvconnect_invoice_stay BEFORE UPDATE OR DELETE ON isvconnect_invoice
    FOR EACH STATEMENT EXECUTE FUNCTION isvconnect_invoice_refuse();
CREATE TRIGGER isvconnect_invoice_stay_all BEFORE TRUNCATE ON isvconnect_invoice
    FOR EACH STATEMENT EXECUTE FUNCTION isvconnect_invoice_refuse();
"""
ALLOW = """
DROP TRIGGER isvconnect_invoice_stay_all ON isvconnect_invoice;
DROP TRIGGER isvconnect_invoice_stay ON isvconnect_invoice;
DROP FUNCTION isvconnect_invoice_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("isvconnect", "0001_initial")]

    operations = [migrations.RunSQL(REFUSE, ALLOW)]
