-- name: tally
-- What a copy must have, and what tells this ledger from any other, and from itself when it has gone on.
SELECT 'task', count(*) FROM task
UNION ALL SELECT 'change', count(*) FROM change
UNION ALL SELECT 'process', count(*) FROM process
UNION ALL SELECT 'task_version', count(*) FROM task_version
UNION ALL SELECT 'cursor', count(*) FROM cursor
UNION ALL SELECT 'seal', count(*) FROM seal
UNION ALL SELECT 'slot', count(*) FROM slot
UNION ALL SELECT 'attempt', count(*) FROM attempt
UNION ALL SELECT 'output', count(*) FROM output
UNION ALL SELECT 'tick', count(*) FROM tick
UNION ALL SELECT 'tick ' || state, count(*) FROM tick GROUP BY state
UNION ALL SELECT 'attempt ' || outcome, count(*) FROM attempt GROUP BY outcome
UNION ALL SELECT 'attempt refused', count(refused_at) FROM attempt
UNION ALL SELECT 'instants', CAST(coalesce(sum(count), 0) AS INTEGER) FROM tick
UNION ALL SELECT 'first change at', coalesce(min(at), 0) FROM change
UNION ALL SELECT 'last change at', coalesce(max(at), 0) FROM change
UNION ALL SELECT 'last change', coalesce(max(id), 0) FROM change
UNION ALL SELECT 'last process', coalesce(max(id), 0) FROM process
UNION ALL SELECT 'last process at', coalesce(max(started_at), 0) FROM process
UNION ALL SELECT 'beats', CAST(coalesce(sum(beat), 0) AS INTEGER) FROM process;

-- name: select_numbers
-- The highest numbers ever given.
SELECT name, seq FROM sqlite_sequence WHERE name = 'change' OR name = 'process'
UNION ALL SELECT 'task', coalesce(max(id), 0) FROM task;

-- name: delete_number
-- Forget how high the numbers of a table went.
DELETE FROM sqlite_sequence WHERE name = :name;

-- name: insert_number
-- Let the numbers of a table go on behind this one.
INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :number);

-- name: mark_as_copy
-- 'etth' marks the file as half of a ledger: no release of Everytick opens it.
PRAGMA application_id = 1702130792;

-- name: mark_as_ledger
-- 'etti' marks the file as a ledger.
PRAGMA application_id = 1702130793;

-- name: mark_as_moved
-- 'ettm' marks the file as a ledger whose tasks went on elsewhere: no release of Everytick opens it.
PRAGMA application_id = 1702130797;

-- name: refuse_processes
-- Who has opened this ledger before it was given up joins it no more,
CREATE TRIGGER IF NOT EXISTS given_up_join BEFORE INSERT ON process BEGIN
    SELECT RAISE(ABORT, 'its tasks went on elsewhere');
END;

-- name: refuse_beats
-- nor goes on where it had stood still,
CREATE TRIGGER IF NOT EXISTS given_up_beat BEFORE UPDATE ON process BEGIN
    SELECT RAISE(ABORT, 'its tasks went on elsewhere');
END;

-- name: refuse_changes
-- nor changes anything,
CREATE TRIGGER IF NOT EXISTS given_up_change BEFORE INSERT ON change BEGIN
    SELECT RAISE(ABORT, 'its tasks went on elsewhere');
END;

-- name: refuse_versions
-- nor goes on with a change of many parts,
CREATE TRIGGER IF NOT EXISTS given_up_version BEFORE INSERT ON task_version BEGIN
    SELECT RAISE(ABORT, 'its tasks went on elsewhere');
END;

-- name: refuse_starts
-- nor starts a tick or ends one.
CREATE TRIGGER IF NOT EXISTS given_up_start BEFORE UPDATE ON tick BEGIN
    SELECT RAISE(ABORT, 'its tasks went on elsewhere');
END;

-- name: make_successor
-- Where the tasks of this ledger went on.
CREATE TABLE IF NOT EXISTS successor (
    url  TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- name: delete_successor
-- They went on elsewhere in the end.
DELETE FROM successor;

-- name: insert_successor
-- They go on there.
INSERT INTO successor (url) VALUES (:url);

-- name: select_successor
-- Where the tasks of this ledger go on.
SELECT url FROM successor;

-- name: copy_table
-- Whether a copy into this ledger was begun, and is not whole yet.
SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'copy';

-- name: make_copy
-- What a half copy is of (source), and how far each of its tables is; gone when it is whole.
CREATE TABLE copy (
    part   TEXT PRIMARY KEY,
    reach  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- name: drop_copy
-- The copy is whole.
DROP TABLE copy;

-- name: select_copy
-- How far a half copy is.
SELECT part, reach FROM copy;

-- name: insert_copy
-- Begin a part of a copy.
INSERT INTO copy (part, reach) VALUES (:part, :reach);

-- name: move_copy
-- A part of a copy has come further, unless somebody else writes it, too.
UPDATE copy SET reach = :reach WHERE part = :part AND reach = :was;

-- name: read_task
-- The rows of task behind a place.
SELECT id, name, origin
FROM task WHERE id > :id
ORDER BY id;

-- name: read_change
-- The rows of change behind a place.
SELECT id, at, actor, act, note, detail
FROM change WHERE id > :id
ORDER BY id;

-- name: read_process
-- The rows of process behind a place.
SELECT id, kind, host, pid, boot, release, started_at, beat, skew, status
FROM process WHERE id > :id
ORDER BY id;

-- name: read_task_version
-- The rows of task_version behind a place.
SELECT task_id, version, since, status, paused_until, anchor, rules, definition, change_id
FROM task_version WHERE (task_id, version) > (:task_id, :version)
ORDER BY task_id, version;

-- name: read_cursor
-- The rows of cursor behind a place.
SELECT task_id, request, version, planned_through, last_due, next_due, through
FROM cursor WHERE (task_id, request) > (:task_id, :request)
ORDER BY task_id, request;

-- name: read_seal
-- The rows of seal behind a place.
SELECT task_id, through, counts, digest
FROM seal WHERE (task_id, through) > (:task_id, :through)
ORDER BY task_id, through;

-- name: read_slot
-- The rows of slot behind a place.
SELECT task_id, lane, due_at, request, attempt, holder, cancel_requested
FROM slot WHERE (task_id, lane) > (:task_id, :lane)
ORDER BY task_id, lane;

-- name: read_attempt
-- The rows of attempt behind a place.
SELECT task_id, due_at, request, attempt, holder, outcome, started_at, ended_at, refused_at
FROM attempt
WHERE (task_id, due_at, request, attempt, holder, outcome)
    > (:task_id, :due_at, :request, :attempt, :holder, :outcome)
ORDER BY task_id, due_at, request, attempt, holder, outcome;

-- name: read_output
-- The rows of output behind a place.
SELECT task_id, due_at, request, attempt, error, output
FROM output
WHERE (task_id, due_at, request, attempt)
    > (:task_id, :due_at, :request, :attempt)
ORDER BY task_id, due_at, request, attempt;

-- name: read_tick
-- The rows of tick behind a place.
SELECT task_id, due_at, request, version, prev_due, next_due, through, count, state, reason, queue,
       priority, ready_at, attempt, reruns, holder, sent_at, started_at, ended_at, summary, proof
FROM tick
WHERE (due_at, task_id, request) > (:due_at, :task_id, :request)
ORDER BY due_at, task_id, request;

-- name: put_task
-- Write rows of task as they were.
INSERT INTO task (id, name, origin)
VALUES (?, ?, ?);

-- name: put_change
-- Write rows of change as they were.
INSERT INTO change (id, at, actor, act, note, detail)
VALUES (?, ?, ?, ?, ?, ?);

-- name: put_process
-- Write rows of process as they were.
INSERT INTO process (id, kind, host, pid, boot, release, started_at, beat, skew, status)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: put_task_version
-- Write rows of task_version as they were.
INSERT INTO task_version (task_id, version, since, status, paused_until, anchor, rules, definition,
    change_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: put_cursor
-- Write rows of cursor as they were.
INSERT INTO cursor (task_id, request, version, planned_through, last_due, next_due, through)
VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: put_seal
-- Write rows of seal as they were.
INSERT INTO seal (task_id, through, counts, digest)
VALUES (?, ?, ?, ?);

-- name: put_slot
-- Write rows of slot as they were.
INSERT INTO slot (task_id, lane, due_at, request, attempt, holder, cancel_requested)
VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: put_attempt
-- Write rows of attempt as they were.
INSERT INTO attempt (task_id, due_at, request, attempt, holder, outcome, started_at, ended_at, refused_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: put_output
-- Write rows of output as they were.
INSERT INTO output (task_id, due_at, request, attempt, error, output)
VALUES (?, ?, ?, ?, ?, ?);

-- name: put_tick
-- Write rows of tick as they were.
INSERT INTO tick (task_id, due_at, request, version, prev_due, next_due, through, count, state, reason,
    queue, priority, ready_at, attempt, reruns, holder, sent_at, started_at, ended_at, summary, proof)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
