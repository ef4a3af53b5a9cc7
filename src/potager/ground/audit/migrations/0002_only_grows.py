"""The database itself refuses to change or remove audit entries."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

SQLITE = """
CREATE TRIGGER audit_entry_is_kept_{verb} BEFORE {verb} ON audit_auditentry
BEGIN SELECT RAISE(ABORT, 'The audit log only grows.'); END;
"""
POSTGRES = """
CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'The audit log only grows.'; END $$;
CREATE TRIGGER audit_entry_is_kept BEFORE UPDATE OR DELETE ON audit_auditentry
FOR EACH ROW EXECUTE FUNCTION audit_only_grows();
"""


def guard(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            editor.execute(SQLITE.format(verb=verb))
    else:
        editor.execute(POSTGRES)


def unguard(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            editor.execute(f"DROP TRIGGER audit_entry_is_kept_{verb}")
    else:
        editor.execute("DROP TRIGGER audit_entry_is_kept ON audit_auditentry; DROP FUNCTION audit_only_grows();")


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [migrations.RunPython(guard, unguard)]
