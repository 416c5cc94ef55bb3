-- name: select_alive
-- Whether a process may hold anything: one that was declared dead, and does not know it yet, may not.
-- It cannot be declared dead before this transaction ends.
SELECT 1 FROM everytick.process
WHERE id = %(process)s AND status = 'alive' AND beat >= %(beat)s FOR SHARE;

-- name: next_ready
-- When the next tick of each queue and priority is ready, in the order in which they are served; from when to
-- when the server looked.
SELECT line.queue, line.priority, t.ready_at,
       (extract(epoch FROM statement_timestamp()) * 1000000)::bigint,
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
FROM unnest(%(queues)s::text[], %(priorities)s::integer[], %(floors)s::bigint[])
    WITH ORDINALITY AS line (queue, priority, floor, place)
LEFT JOIN LATERAL (
    SELECT ready_at FROM everytick.tick
    WHERE queue = line.queue AND priority = line.priority AND ready_at >= line.floor
      AND task_id <> ALL (%(without)s::bigint[])
    ORDER BY ready_at LIMIT 1
) AS t ON true
ORDER BY line.place;

-- name: select_ready
-- Ticks that are ready, from the first on, longest ready first, for this transaction alone; ctid is where each lies.
SELECT task_id, due_at, request, version, prev_due, next_due, attempt, reruns, ctid::text
FROM everytick.tick
WHERE queue = %(queue)s AND priority = %(priority)s AND ready_at >= %(first)s AND ready_at <= %(now)s
  AND task_id <> ALL (%(without)s::bigint[])
ORDER BY ready_at
LIMIT %(limit)s
FOR UPDATE SKIP LOCKED;

-- name: select_newest
-- The number of the newest version of each task.
SELECT task_id, version FROM everytick.cursor WHERE task_id = ANY (%(tasks)s::bigint[]) AND request = 0;

-- name: lock_slots
-- Nobody gives a lane of these tasks back, nor takes over a place in their queue, before this ends.
SELECT task_id, due_at, request FROM everytick.slot WHERE task_id = ANY (%(tasks)s::bigint[])
ORDER BY task_id, due_at, request FOR UPDATE;

-- name: select_slots
-- Who holds the lanes of tasks, and who waits for them.
SELECT task_id, due_at, request, lane, attempt, holder, cancel_requested
FROM everytick.slot WHERE task_id = ANY (%(tasks)s::bigint[])
ORDER BY task_id, lane;

-- name: lock_waiting
-- Ticks that wait, and that nobody else has before him: another claim, a cancel or an edit.
SELECT t.task_id, t.due_at, t.request
FROM unnest(%(task_id)s::bigint[], %(due_at)s::bigint[], %(request)s::bigint[])
    AS d (task_id, due_at, request)
JOIN everytick.tick AS t
    ON t.task_id = d.task_id AND t.due_at = d.due_at AND t.request = d.request
FOR UPDATE OF t SKIP LOCKED;

-- name: insert_slots
-- Lanes taken, or places in the queue for one: law 6. In order of the task, so that two who do this
-- cannot wait for each other. What another was first to take does not come back.
INSERT INTO everytick.slot (task_id, lane, due_at, request, attempt, holder)
SELECT * FROM unnest(%(task_id)s::bigint[], %(lane)s::bigint[], %(due_at)s::bigint[], %(request)s::bigint[],
                     %(attempt)s::integer[], %(holder)s::bigint[]) AS d (task_id, lane, due_at, request)
ORDER BY d.task_id, d.lane
ON CONFLICT DO NOTHING
RETURNING task_id, due_at, request;

-- name: take_slots
-- Ticks that had a slot already, waiting or in back-off, take their lanes. Each slot is sought by its key: see
-- end_attempts. They were locked by a statement before this, else one that has moved meanwhile were passed over.
WITH own AS MATERIALIZED (
    SELECT d.lane, d.attempt, d.holder, held.ctid AS place
    FROM unnest(%(task_id)s::bigint[], %(due_at)s::bigint[], %(request)s::bigint[], %(lane)s::bigint[],
                %(attempt)s::integer[], %(holder)s::bigint[])
        AS d (task_id, due_at, request, lane, attempt, holder)
    CROSS JOIN LATERAL (
        SELECT ctid FROM everytick.slot
        WHERE task_id = d.task_id AND due_at = d.due_at AND request = d.request
        OFFSET 0
    ) AS held
)
UPDATE everytick.slot AS s
SET lane = own.lane, attempt = own.attempt, holder = own.holder, cancel_requested = false
FROM own WHERE s.ctid = own.place;

-- name: start_ticks
-- A local executor starts the attempts in the claim itself. The rows are locked since they were read.
UPDATE everytick.tick
SET state = 'running', ready_at = NULL, holder = %(holder)s, started_at = %(now)s
WHERE ctid = ANY (%(places)s::text[]::tid[]) AND state = 'planned';

-- name: delay_ticks
-- Planned ticks become ready at another moment.
UPDATE everytick.tick AS t SET ready_at = d.ready_at
FROM unnest(%(task_id)s::bigint[], %(due_at)s::bigint[], %(request)s::bigint[], %(ready_at)s::bigint[])
    AS d (task_id, due_at, request, ready_at)
WHERE t.task_id = d.task_id AND t.due_at = d.due_at AND t.request = d.request AND t.state = 'planned';

-- name: ending_facts
-- What the proof of an ending is made of, beside the ending itself; nobody else moves these ticks now.
SELECT t.task_id, t.due_at, t.request, t.through, t.count, t.attempt
FROM unnest(%(task_id)s::bigint[], %(due_at)s::bigint[], %(request)s::bigint[])
    AS d (task_id, due_at, request)
JOIN everytick.tick AS t
    ON t.task_id = d.task_id AND t.due_at = d.due_at AND t.request = d.request
WHERE t.state IN ('planned', 'queued')
FOR UPDATE OF t;

-- name: end_ticks
-- End ticks that are not running.
UPDATE everytick.tick AS t
SET state = d.state, reason = d.reason, ready_at = NULL, holder = NULL, ended_at = %(now)s, proof = d.proof
FROM unnest(%(task_id)s::bigint[], %(due_at)s::bigint[], %(request)s::bigint[], %(state)s::text[],
            %(reason)s::text[], %(proof)s::bigint[]) AS d (task_id, due_at, request, state, reason, proof)
WHERE t.task_id = d.task_id AND t.due_at = d.due_at AND t.request = d.request
  AND t.state IN ('planned', 'queued');

-- name: lock_places
-- Where the slots of ticks lie; they cannot move any more. Each is sought by its key, whatever the planner
-- believes of how many there are: see end_attempts.
SELECT array_agg(held.ctid)::text
FROM unnest(%(task_id)s::bigint[], %(due_at)s::bigint[], %(request)s::bigint[])
    AS d (task_id, due_at, request)
CROSS JOIN LATERAL (
    SELECT ctid FROM everytick.slot
    WHERE task_id = d.task_id AND due_at = d.due_at AND request = d.request
    OFFSET 0 FOR UPDATE
) AS held;

-- name: delete_slots
-- Give lanes, or places in the queue, back. The statement before this has locked them: one that was asked to
-- stop meanwhile has moved, and a statement that began before it did would not see it where it lies now.
DELETE FROM everytick.slot WHERE ctid = ANY (%(places)s::tid[]);

-- name: select_waited_for
-- For the lanes of which of these tasks some tick waits; mostly it is none, and wake would look at each.
SELECT DISTINCT task_id FROM everytick.slot WHERE task_id = ANY (%(tasks)s::bigint[]) AND lane < 0;

-- name: wake
-- As many of those that wait for the lanes of a task as were freed are ready now, longest by due_at first.
-- Whom another wakes, or ends, at the same moment is waited for and passed over.
WITH woken AS MATERIALIZED (
    SELECT w.task_id, w.due_at, w.request
    FROM unnest(%(task_id)s::bigint[], %(lanes)s::integer[]) AS freed (task_id, lanes)
    CROSS JOIN LATERAL (
        SELECT tick.task_id, tick.due_at, tick.request
        FROM everytick.slot JOIN everytick.tick USING (task_id, due_at, request)
        WHERE slot.task_id = freed.task_id AND slot.lane < 0 AND tick.ready_at > %(now)s
        ORDER BY slot.due_at, slot.request LIMIT freed.lanes
        FOR UPDATE OF tick
    ) AS w
)
UPDATE everytick.tick AS t SET ready_at = %(now)s
FROM woken AS w WHERE t.task_id = w.task_id AND t.due_at = w.due_at AND t.request = w.request;

-- name: lock_asked
-- Nobody else looks at what was asked for by hand of these tasks before this ends. 'etti' as a number
-- keeps these locks apart from those of other programs.
SELECT pg_advisory_xact_lock(1702130793, mod(d.task_id, 2147483647)::integer)
FROM unnest(%(tasks)s::bigint[]) AS d (task_id);

-- name: admit
-- The oldest unstarted ticks of a task that were asked for by hand stand in line, the others in reserve:
-- what has come to be among the oldest is ready now. A backfill has a cursor, a manual run has none.
WITH oldest AS MATERIALIZED (
    SELECT w.task_id, w.due_at, w.request, w.ready_at
    FROM unnest(%(tasks)s::bigint[]) AS d (task_id)
    CROSS JOIN LATERAL (
        SELECT t.task_id, t.due_at, t.request, t.ready_at FROM everytick.tick AS t
        WHERE t.task_id = d.task_id AND t.request > 0 AND t.ready_at IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM everytick.cursor AS c
                          WHERE c.task_id = t.task_id AND c.request = t.request)
        ORDER BY t.request LIMIT %(cap)s
    ) AS w
)
UPDATE everytick.tick AS t SET ready_at = %(now)s
FROM oldest AS o
WHERE o.ready_at = %(reserve)s AND t.ready_at = %(reserve)s
  AND t.task_id = o.task_id AND t.due_at = o.due_at AND t.request = o.request;

-- name: ask_to_stop
-- Ask the attempts that hold these lanes to stop; the statement before this has locked them.
UPDATE everytick.slot SET cancel_requested = true WHERE ctid = ANY (%(places)s::tid[]);
