"""The database's own full-text index: FTS5 on SQLite, a generated tsvector with GIN on PostgreSQL."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

SQLITE = [
    """CREATE VIRTUAL TABLE search_words USING fts5(
        title, summary, words, content='search_searchentry', content_rowid='id', tokenize='unicode61 remove_diacritics 2')""",
    """CREATE TRIGGER search_words_added AFTER INSERT ON search_searchentry BEGIN
        INSERT INTO search_words(rowid, title, summary, words) VALUES (new.id, new.title, new.summary, new.words); END""",
    """CREATE TRIGGER search_words_removed AFTER DELETE ON search_searchentry BEGIN
        INSERT INTO search_words(search_words, rowid, title, summary, words)
        VALUES ('delete', old.id, old.title, old.summary, old.words); END""",
    """CREATE TRIGGER search_words_changed AFTER UPDATE ON search_searchentry BEGIN
        INSERT INTO search_words(search_words, rowid, title, summary, words)
        VALUES ('delete', old.id, old.title, old.summary, old.words);
        INSERT INTO search_words(rowid, title, summary, words) VALUES (new.id, new.title, new.summary, new.words); END""",
]
POSTGRES = [
    """ALTER TABLE search_searchentry ADD COLUMN vector tsvector GENERATED ALWAYS AS (
        setweight(to_tsvector('simple', title), 'A') || setweight(to_tsvector('simple', summary), 'B')
        || setweight(to_tsvector('simple', words), 'D')) STORED""",
    "CREATE INDEX search_words ON search_searchentry USING gin (vector)",
]


def build(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    for statement in SQLITE if editor.connection.vendor == "sqlite" else POSTGRES:
        editor.execute(statement)


def drop(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "sqlite":
        for name in ("added", "removed", "changed"):
            editor.execute(f"DROP TRIGGER search_words_{name}")
        editor.execute("DROP TABLE search_words")
    else:
        editor.execute("ALTER TABLE search_searchentry DROP COLUMN vector")


class Migration(migrations.Migration):
    dependencies = [("search", "0001_initial")]
    operations = [migrations.RunPython(build, drop)]
