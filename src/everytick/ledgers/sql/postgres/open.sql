-- name: place
-- Whether the schema and the list of its migrations are there, how many tables it has, and what the server and
-- the text of the database are. Tables are counted and sought in one look: others may make them now.
SELECT to_regnamespace(%(schema)s) IS NOT NULL, count(*) FILTER (WHERE relname = 'migration') > 0,
       current_setting('server_version_num')::integer, current_setting('server_encoding'), count(*)
FROM pg_class WHERE relnamespace = to_regnamespace(%(schema)s) AND relkind IN ('r', 'p');

-- name: one_at_a_time
-- Whoever migrates waits for whoever migrates already; the lock ends with the transaction.
SELECT pg_advisory_xact_lock(hashtextextended('migration of everytick in ' || %(schema)s, 0));

-- name: give_way
-- Whoever waits for a table makes all others wait behind it: a migration does so for a moment only, and then
-- tries again.
SET LOCAL lock_timeout = '2s';

-- name: make_schema
CREATE SCHEMA IF NOT EXISTS everytick;

-- name: make_migration
-- Which migrations this schema has seen, and which release brought each.
CREATE TABLE IF NOT EXISTS everytick.migration (
    name     text PRIMARY KEY,
    release  text NOT NULL
);

-- name: select_migrations
SELECT name, release FROM everytick.migration ORDER BY name;

-- name: insert_migration
INSERT INTO everytick.migration (name, release) VALUES (%(name)s, %(release)s);

-- name: begin
-- Statements that join a batch to a table go by its keys, however old the statistics are: a plan that
-- scans would take seconds. A process that is stopped while it holds locks loses them before its lease ends.
BEGIN;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL jit = off;
SET LOCAL lock_timeout = '10s';
SET LOCAL idle_in_transaction_session_timeout = '4s';

-- name: begin_plan
-- Where an index has the order that is asked for, nothing else is read: see select_cursors.
BEGIN;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_sort = off;
SET LOCAL jit = off;
SET LOCAL lock_timeout = '10s';
SET LOCAL idle_in_transaction_session_timeout = '4s';

-- name: begin_edit
-- An edit may decide about a million tasks.
BEGIN;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL jit = off;
SET LOCAL lock_timeout = '30s';
SET LOCAL idle_in_transaction_session_timeout = '10min';

-- name: begin_reading
-- All of a table is read, page by page, as it is now; who reads it may be slow.
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL cursor_tuple_fraction = 1;
SET LOCAL jit = off;
SET LOCAL statement_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = '10min';

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
