-- name: tally
-- What a copy must have, and what tells this ledger from any other, and from itself when it has gone on.
SELECT 'task', count(*) FROM everytick.task
UNION ALL SELECT 'change', count(*) FROM everytick.change
UNION ALL SELECT 'process', count(*) FROM everytick.process
UNION ALL SELECT 'task_version', count(*) FROM everytick.task_version
UNION ALL SELECT 'cursor', count(*) FROM everytick.cursor
UNION ALL SELECT 'seal', count(*) FROM everytick.seal
UNION ALL SELECT 'slot', count(*) FROM everytick.slot
UNION ALL SELECT 'attempt', count(*) FROM everytick.attempt
UNION ALL SELECT 'output', count(*) FROM everytick.output
UNION ALL SELECT 'tick', count(*) FROM everytick.tick
UNION ALL SELECT 'tick ' || state, count(*) FROM everytick.tick GROUP BY state
UNION ALL SELECT 'attempt ' || outcome, count(*) FROM everytick.attempt GROUP BY outcome
UNION ALL SELECT 'attempt refused', count(refused_at) FROM everytick.attempt
UNION ALL SELECT 'instants', CAST(coalesce(sum(count), 0) AS bigint) FROM everytick.tick
UNION ALL SELECT 'first change at', coalesce(min(at), 0) FROM everytick.change
UNION ALL SELECT 'last change at', coalesce(max(at), 0) FROM everytick.change
UNION ALL SELECT 'last change', coalesce(max(id), 0) FROM everytick.change
UNION ALL SELECT 'last process', coalesce(max(id), 0) FROM everytick.process
UNION ALL SELECT 'last process at', coalesce(max(started_at), 0) FROM everytick.process
UNION ALL SELECT 'beats', CAST(coalesce(sum(beat), 0) AS bigint) FROM everytick.process;

-- name: select_numbers
-- The highest numbers ever given.
SELECT 'task', CASE WHEN is_called THEN last_value ELSE 0 END FROM everytick.task_id_seq
UNION ALL SELECT 'change', CASE WHEN is_called THEN last_value ELSE 0 END FROM everytick.change_id_seq
UNION ALL SELECT 'process', CASE WHEN is_called THEN last_value ELSE 0 END FROM everytick.process_id_seq;

-- name: set_number
-- Let the numbers of a table go on behind this one.
SELECT setval(CAST(%(schema)s || '.' || %(name)s || '_id_seq' AS regclass), greatest(1, %(number)s::bigint),
              %(number)s::bigint > 0);

-- name: delete_migration
-- Take back what kept programs from a half copy.
DELETE FROM everytick.migration WHERE name = %(name)s;

-- name: refuse_writers
-- Who has opened this ledger before it was given up joins it no more, nor goes on where it had stood still, nor
-- changes anything, nor starts a tick or ends one. Who writes meanwhile is waited for. The code is ours: triggers
-- of others have P0001.
CREATE OR REPLACE FUNCTION everytick.given_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'its tasks went on elsewhere' USING ERRCODE = 'ET001';
END
$$;
CREATE OR REPLACE TRIGGER given_up BEFORE INSERT OR UPDATE ON everytick.process
    FOR EACH STATEMENT EXECUTE FUNCTION everytick.given_up();
CREATE OR REPLACE TRIGGER given_up BEFORE INSERT ON everytick.change
    FOR EACH STATEMENT EXECUTE FUNCTION everytick.given_up();
CREATE OR REPLACE TRIGGER given_up BEFORE INSERT ON everytick.task_version
    FOR EACH STATEMENT EXECUTE FUNCTION everytick.given_up();
CREATE OR REPLACE TRIGGER given_up BEFORE UPDATE ON everytick.tick
    FOR EACH STATEMENT EXECUTE FUNCTION everytick.given_up();

-- name: make_successor
-- Where the tasks of this ledger went on.
CREATE TABLE IF NOT EXISTS everytick.successor (
    url  text PRIMARY KEY
);

-- name: delete_successor
-- They went on elsewhere in the end.
DELETE FROM everytick.successor;

-- name: insert_successor
-- They go on there.
INSERT INTO everytick.successor (url) VALUES (%(url)s);

-- name: select_successor
-- Where the tasks of this ledger go on.
SELECT url FROM everytick.successor;

-- name: analyze
-- Tell the planner what the tables of a new copy hold.
ANALYZE everytick.task, everytick.change, everytick.process, everytick.task_version, everytick.cursor,
    everytick.seal, everytick.slot, everytick.attempt, everytick.output, everytick.tick;

-- name: copy_table
-- Whether a copy into this ledger was begun, and is not whole yet.
SELECT to_regclass(%(schema)s || '.copy') IS NOT NULL;

-- name: make_copy
-- What a half copy is of (source), and how far each of its tables is; gone when it is whole.
CREATE TABLE everytick.copy (
    part   text PRIMARY KEY,
    reach  text NOT NULL
);

-- name: drop_copy
-- The copy is whole.
DROP TABLE everytick.copy;

-- name: select_copy
-- How far a half copy is.
SELECT part, reach FROM everytick.copy;

-- name: insert_copy
-- Begin a part of a copy.
INSERT INTO everytick.copy (part, reach) VALUES (%(part)s, %(reach)s);

-- name: move_copy
-- A part of a copy has come further, unless somebody else writes it, too.
UPDATE everytick.copy SET reach = %(reach)s WHERE part = %(part)s AND reach = %(was)s;

-- name: read_task
-- The rows of task behind a place.
SELECT id, name, origin
FROM everytick.task WHERE id > %(id)s
ORDER BY id;

-- name: read_change
-- The rows of change behind a place.
SELECT id, at, actor, act, note, detail
FROM everytick.change WHERE id > %(id)s
ORDER BY id;

-- name: read_process
-- The rows of process behind a place.
SELECT id, kind, host, pid, boot, release, started_at, beat, skew, status
FROM everytick.process WHERE id > %(id)s
ORDER BY id;

-- name: read_task_version
-- The rows of task_version behind a place.
SELECT task_id, version, since, status, paused_until, anchor, rules, definition, change_id
FROM everytick.task_version WHERE (task_id, version) > (%(task_id)s, %(version)s)
ORDER BY task_id, version;

-- name: read_cursor
-- The rows of cursor behind a place.
SELECT task_id, request, version, planned_through, last_due, next_due, through
FROM everytick.cursor WHERE (task_id, request) > (%(task_id)s, %(request)s)
ORDER BY task_id, request;

-- name: read_seal
-- The rows of seal behind a place.
SELECT task_id, through, counts, digest
FROM everytick.seal WHERE (task_id, through) > (%(task_id)s, %(through)s)
ORDER BY task_id, through;

-- name: read_slot
-- The rows of slot behind a place.
SELECT task_id, lane, due_at, request, attempt, holder, cancel_requested::integer
FROM everytick.slot WHERE (task_id, lane) > (%(task_id)s, %(lane)s)
ORDER BY task_id, lane;

-- name: read_attempt
-- The rows of attempt behind a place.
SELECT task_id, due_at, request, attempt, holder, outcome, started_at, ended_at, refused_at
FROM everytick.attempt
WHERE (task_id, due_at, request, attempt, holder, outcome COLLATE "C")
    > (%(task_id)s, %(due_at)s, %(request)s, %(attempt)s, %(holder)s, %(outcome)s)
ORDER BY task_id, due_at, request, attempt, holder, outcome COLLATE "C";

-- name: read_output
-- The rows of output behind a place.
SELECT task_id, due_at, request, attempt, error, output
FROM everytick.output
WHERE (task_id, due_at, request, attempt)
    > (%(task_id)s, %(due_at)s, %(request)s, %(attempt)s)
ORDER BY task_id, due_at, request, attempt;

-- name: read_tick
-- The rows of tick behind a place.
SELECT task_id, due_at, request, version, prev_due, next_due, through, count, state, reason, queue,
       priority, ready_at, attempt, reruns, holder, sent_at, started_at, ended_at, summary, proof
FROM everytick.tick
WHERE (due_at, task_id, request) > (%(due_at)s, %(task_id)s, %(request)s)
ORDER BY due_at, task_id, request;

-- name: put_task
-- Write rows of task as they were.
COPY everytick.task (id, name, origin) FROM STDIN;

-- name: put_change
-- Write rows of change as they were.
COPY everytick.change (id, at, actor, act, note, detail) FROM STDIN;

-- name: put_process
-- Write rows of process as they were.
COPY everytick.process (id, kind, host, pid, boot, release, started_at, beat, skew, status) FROM STDIN;

-- name: put_task_version
-- Write rows of task_version as they were.
COPY everytick.task_version (task_id, version, since, status, paused_until, anchor, rules, definition,
    change_id) FROM STDIN;

-- name: put_cursor
-- Write rows of cursor as they were.
COPY everytick.cursor (task_id, request, version, planned_through, last_due, next_due, through) FROM STDIN;

-- name: put_seal
-- Write rows of seal as they were.
COPY everytick.seal (task_id, through, counts, digest) FROM STDIN;

-- name: put_slot
-- Write rows of slot as they were.
COPY everytick.slot (task_id, lane, due_at, request, attempt, holder, cancel_requested) FROM STDIN;

-- name: put_attempt
-- Write rows of attempt as they were.
COPY everytick.attempt (task_id, due_at, request, attempt, holder, outcome, started_at, ended_at,
    refused_at) FROM STDIN;

-- name: put_output
-- Write rows of output as they were.
COPY everytick.output (task_id, due_at, request, attempt, error, output) FROM STDIN;

-- name: put_tick
-- Write rows of tick as they were.
COPY everytick.tick (task_id, due_at, request, version, prev_due, next_due, through, count, state, reason,
    queue, priority, ready_at, attempt, reruns, holder, sent_at, started_at, ended_at, summary, proof)
    FROM STDIN;
