-- name: insert_change
-- Who did what, and why.
INSERT INTO everytick.change (at, actor, act, note, detail)
VALUES (%(at)s, %(actor)s, %(act)s, %(note)s, %(detail)s)
RETURNING id;

-- name: in_turn
-- What is looked for by its number is seen in the order of the numbers: of two that are written at once the second
-- waits for the first to be seen. 'etti' as a number keeps this lock apart from those of other programs, and
-- -1 from those of tasks.
SELECT pg_advisory_xact_lock(1702130793, -1);

-- name: lock_cursors
-- Nobody plans these tasks, nor edits them, before this ends.
WITH named AS MATERIALIZED (SELECT id FROM everytick.task WHERE name = ANY (%(names)s::text[]))
SELECT c.task_id
FROM named JOIN everytick.cursor AS c ON c.task_id = named.id
ORDER BY c.task_id, c.request FOR UPDATE OF c;

-- name: lock_planned
-- Nobody starts these tasks' planned ticks before this ends; who is at it is waited for.
SELECT task_id FROM everytick.tick
WHERE task_id = ANY (%(tasks)s::bigint[]) AND ready_at IS NOT NULL
ORDER BY task_id, due_at, request FOR UPDATE;

-- name: task_numbers
-- The numbers of tasks that have no version yet.
SELECT name, id FROM everytick.task WHERE name = ANY (%(names)s::text[]);

-- name: next_numbers
-- Numbers that no task has, nor will have but by whoever asks.
SELECT nextval(CAST(%(schema)s || '.task_id_seq' AS regclass)) FROM generate_series(1, %(count)s);

-- name: insert_tasks
-- New tasks; who is making one of them is waited for, and that one is left out.
INSERT INTO everytick.task (id, name, origin)
SELECT d.id, d.name, d.origin
FROM unnest(%(task_id)s::bigint[], %(name)s::text[], %(origin)s::text[]) AS d (id, name, origin) ORDER BY d.name
ON CONFLICT DO NOTHING;

-- name: adopt_tasks
-- Tasks that were removed, or lay elsewhere, belong to whoever edits them.
UPDATE everytick.task SET origin = d.origin
FROM unnest(%(task_id)s::bigint[], %(origin)s::text[]) AS d (task_id, origin)
WHERE task.id = d.task_id AND task.origin <> d.origin;

-- name: insert_versions
-- Versions in force from ``since`` on.
INSERT INTO everytick.task_version
    (task_id, version, since, status, paused_until, anchor, rules, definition, change_id)
SELECT * FROM unnest(
    %(task_id)s::bigint[], %(version)s::integer[], %(since)s::bigint[], %(status)s::text[],
    %(paused_until)s::bigint[], %(anchor)s::bigint[], %(rules)s::text[], %(definition)s::text[],
    %(change_id)s::bigint[]);

-- name: delete_planned
-- What was planned under older versions, beyond the moments the new ones begin.
DELETE FROM everytick.tick AS t
USING unnest(%(task_id)s::bigint[], %(since)s::bigint[]) AS d (task_id, since)
WHERE t.task_id = d.task_id AND t.due_at > d.since AND t.request = 0 AND t.state = 'planned';

-- name: newest_rows
-- The newest scheduled tick of each task that stays.
SELECT d.task_id, t.due_at, t.last_due
FROM unnest(%(task_id)s::bigint[], %(since)s::bigint[]) AS d (task_id, since)
CROSS JOIN LATERAL (
    SELECT due_at, coalesce(through, due_at) AS last_due FROM everytick.tick
    WHERE task_id = d.task_id AND due_at <= d.since AND request = 0
    ORDER BY due_at DESC LIMIT 1
) AS t;

-- name: repoint_ticks
-- The newest ticks that stay planned are now missed when the new versions' first ticks are due.
UPDATE everytick.tick AS t SET next_due = d.next_due
FROM unnest(%(task_id)s::bigint[], %(due_at)s::bigint[], %(next_due)s::bigint[])
    AS d (task_id, due_at, next_due)
WHERE t.task_id = d.task_id AND t.due_at = d.due_at AND t.request = 0 AND t.state = 'planned';

-- name: set_cursors
-- Where planning goes on under the new versions.
INSERT INTO everytick.cursor (task_id, request, version, planned_through, last_due, next_due)
SELECT d.task_id, 0, d.version, d.planned_through, d.last_due, d.next_due
FROM unnest(%(task_id)s::bigint[], %(version)s::integer[], %(planned_through)s::bigint[],
            %(last_due)s::bigint[], %(next_due)s::bigint[])
    AS d (task_id, version, planned_through, last_due, next_due)
ON CONFLICT (task_id, request) DO UPDATE
SET version = excluded.version, planned_through = excluded.planned_through,
    last_due = excluded.last_due, next_due = excluded.next_due;

-- name: select_asked
-- The oldest unstarted ticks of a task that were asked for by hand.
SELECT t.request FROM everytick.tick AS t
WHERE t.task_id = %(task_id)s AND t.request > 0 AND t.ready_at IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM everytick.cursor AS c WHERE c.task_id = t.task_id AND c.request = t.request)
ORDER BY t.request LIMIT %(cap)s;

-- name: insert_backfill
-- A cursor of its own for a backfill.
INSERT INTO everytick.cursor (task_id, request, version, planned_through, last_due, next_due, through)
VALUES (%(task_id)s, %(request)s, %(version)s, %(after)s, NULL, %(first)s, %(through)s);

-- name: stop_backfills
-- Tasks that are removed ask for nothing more.
UPDATE everytick.cursor SET next_due = NULL
WHERE task_id = ANY (%(tasks)s::bigint[]) AND request <> 0;

-- name: select_idle
-- Ticks of tasks that wait for a lane, for a pause to end or for a retry.
SELECT t.task_id, t.due_at, t.request, t.ready_at
FROM everytick.slot AS s JOIN everytick.tick AS t USING (task_id, due_at, request)
WHERE s.task_id = ANY (%(tasks)s::bigint[]) AND s.holder IS NULL;

-- name: newest_version
-- The number of a task's newest version, and the newest instant that has a row; neither changes now.
SELECT version, last_due FROM everytick.cursor WHERE task_id = %(task_id)s AND request = 0 FOR SHARE;

-- name: insert_tick
-- A tick that somebody asks for.
INSERT INTO everytick.tick (task_id, due_at, request, version, prev_due, next_due, through, count, state,
                            reason, queue, priority, ready_at, ended_at, proof)
VALUES (%(task_id)s, %(due_at)s, %(request)s, %(version)s, %(prev_due)s, %(next_due)s, %(through)s,
        %(count)s, %(state)s, %(reason)s, %(queue)s, %(priority)s, %(ready_at)s, %(ended_at)s, %(proof)s);

-- name: select_state
-- Where a tick is in its life; nobody else moves it now.
SELECT state FROM everytick.tick
WHERE task_id = %(task_id)s AND due_at = %(due_at)s AND request = %(request)s FOR UPDATE;
