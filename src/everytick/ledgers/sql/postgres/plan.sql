-- name: select_cursors
-- Cursors that reach less far than the horizon, from the first on, most pressing first, with how many of
-- their ticks nobody has started; a task that has its fill of those is left alone, and so is one that another
-- scheduler has before it. Whoever has its fill costs a count, so not each look begins at the lowest: see
-- floor.py. The ticks are counted in an order that only tick_unstarted has: where statistics were taken while
-- nothing was open, PostgreSQL would rather read all of tick_ready, once for each cursor.
SELECT c.task_id, c.request, c.version, c.planned_through, c.last_due, c.through, u.unstarted,
       c.next_due, c.ctid::text
FROM everytick.cursor AS c
CROSS JOIN LATERAL (
    SELECT count(*) AS unstarted
    FROM (
        SELECT 1 FROM everytick.tick AS t
        WHERE (t.task_id, t.request) >= (c.task_id, c.request)
          AND (t.task_id, t.request) <= (c.task_id, c.request) AND t.ready_at IS NOT NULL
        ORDER BY t.task_id, t.request OFFSET 0
    ) AS open
) AS u
WHERE c.next_due >= %(first)s AND c.next_due <= %(until)s AND c.task_id <> ALL (%(without)s::bigint[]) AND u.unstarted < %(cap)s
ORDER BY c.next_due
LIMIT %(limit)s
FOR NO KEY UPDATE OF c SKIP LOCKED;

-- name: looked
-- From when to when, by the server's clock, this transaction has looked by now.
SELECT (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint,
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;

-- name: move_cursors
-- Move cursors on, those that still stand where they were read. They are locked since, and lie where they lay.
UPDATE everytick.cursor AS c
SET planned_through = d.planned_through, last_due = d.last_due, next_due = d.next_due
FROM unnest(%(place)s::tid[], %(version)s::integer[], %(was)s::bigint[], %(planned_through)s::bigint[],
            %(last_due)s::bigint[], %(next_due)s::bigint[])
    AS d (place, version, was, planned_through, last_due, next_due)
WHERE c.ctid = d.place AND c.version = d.version AND c.planned_through = d.was
  AND c.planned_through < d.planned_through
RETURNING c.task_id, c.request;

-- name: insert_ticks
-- Planned ticks, and range rows of skipped ones.
INSERT INTO everytick.tick (task_id, due_at, request, version, prev_due, next_due, through, count, state,
                            reason, queue, priority, ready_at, ended_at, proof)
SELECT * FROM unnest(
    %(task_id)s::bigint[], %(due_at)s::bigint[], %(request)s::bigint[], %(version)s::integer[],
    %(prev_due)s::bigint[], %(next_due)s::bigint[], %(through)s::bigint[], %(count)s::bigint[],
    %(state)s::text[], %(reason)s::text[], %(queue)s::text[], %(priority)s::integer[],
    %(ready_at)s::bigint[], %(ended_at)s::bigint[], %(proof)s::bigint[]);

-- name: next_plan
-- When planning has to look at a cursor next; from when to when the server looked; the newest change that may
-- have brought a cursor that begins in the past. It is sought in the order that only change_by_act has.
SELECT (SELECT next_due FROM everytick.cursor WHERE next_due >= %(floor)s ORDER BY next_due LIMIT 1),
       (extract(epoch FROM statement_timestamp()) * 1000000)::bigint,
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
       (SELECT coalesce(max(newest.id), 0)
        FROM unnest(ARRAY['backfill', 'resume']) AS d (act)
        CROSS JOIN LATERAL (
            SELECT id FROM everytick.change WHERE (act, id) >= (d.act, 0) AND (act, id) < (d.act, 9223372036854775807)
            ORDER BY act DESC, id DESC LIMIT 1
        ) AS newest);
