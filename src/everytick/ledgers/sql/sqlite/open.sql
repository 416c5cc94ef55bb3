-- name: journal
-- Readers never block the writer, nor the writer readers.
PRAGMA journal_mode = wal;

-- name: durable
-- A commit that returned survives a power cut.
PRAGMA synchronous = full;

-- name: journal_limit
-- Give the disk space of a grown journal back.
PRAGMA journal_size_limit = 67108864;

-- name: edition
-- Which edition a release has to know to use this file; 0 for a new one.
PRAGMA user_version;

-- name: application
-- Which program the file belongs to.
PRAGMA application_id;

-- name: table_count
-- How many tables a file of edition 0 has: a ledger to be made has none.
SELECT count(*) FROM sqlite_schema;

-- name: has_migrations
-- Whether the file has a list of its migrations: the first release kept none.
SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'migration';

-- name: make_migration
-- Which migrations this file has seen, and which release brought each.
CREATE TABLE IF NOT EXISTS migration (
    name     TEXT PRIMARY KEY,
    release  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- name: select_migrations
-- Which migrations this file has seen.
SELECT name, release FROM migration ORDER BY name;

-- name: insert_migration
-- A migration has run.
INSERT INTO migration (name, release) VALUES (:name, :release);

-- name: others_wrote
-- Changes when another connection has committed.
PRAGMA data_version;

-- name: begin
-- Take the writer's lock at once, so that no transaction fails half way for want of it.
BEGIN IMMEDIATE;

-- name: commit
COMMIT;

-- name: rollback
ROLLBACK;

-- name: mark
-- What follows can be undone by itself.
SAVEPOINT mark;

-- name: undo
ROLLBACK TO mark;

-- name: release
RELEASE mark;
