-- name: select_needed
-- When the newest success of each task was due, and the last of so many of its newest rows that ended.
SELECT d.task_id,
       (SELECT due_at FROM everytick.tick WHERE task_id = d.task_id AND state = 'succeeded'
        ORDER BY due_at DESC LIMIT 1),
       (SELECT due_at FROM everytick.tick WHERE task_id = d.task_id AND ended_at IS NOT NULL
        ORDER BY due_at DESC LIMIT 1 OFFSET %(newest)s - 1)
FROM unnest(%(tasks)s::bigint[]) AS d (task_id);

-- name: select_unsettled
-- The first row of each task due by its bound that has not ended by a moment, or reaches beyond the bound.
SELECT d.task_id, t.due_at
FROM unnest(%(task_id)s::bigint[], %(through)s::bigint[]) AS d (task_id, through)
CROSS JOIN LATERAL (
    SELECT due_at FROM everytick.tick
    WHERE task_id = d.task_id AND due_at <= d.through
      AND (ended_at IS NULL OR ended_at > %(since)s OR through > d.through)
    ORDER BY due_at LIMIT 1
) AS t;

-- name: lock_tasks
-- Nobody else seals these tasks before this ends.
SELECT id FROM everytick.task WHERE id = ANY (%(tasks)s::bigint[]) ORDER BY id FOR NO KEY UPDATE;

-- name: delete_seals
-- Seals give way to newer ones.
DELETE FROM everytick.seal WHERE task_id = ANY (%(tasks)s::bigint[]);

-- name: insert_seals
-- What is pruned of tasks.
INSERT INTO everytick.seal (task_id, through, counts, digest)
SELECT * FROM unnest(%(task_id)s::bigint[], %(through)s::bigint[], %(counts)s::text[], %(digest)s::text[]);

-- name: select_sealed
-- Rows that have ended and that seals stand for.
SELECT t.task_id, t.due_at, t.request
FROM unnest(%(task_id)s::bigint[], %(after)s::bigint[], %(through)s::bigint[], %(request)s::bigint[])
    AS d (task_id, after, through, request)
CROSS JOIN LATERAL (
    SELECT * FROM everytick.tick
    WHERE task_id = d.task_id AND due_at >= d.after AND due_at <= d.through AND request <= d.request
      AND ended_at IS NOT NULL
    ORDER BY due_at, request LIMIT %(limit)s
) AS t
LIMIT %(limit)s;

-- name: prune_ticks
-- Delete ticks that have ended.
DELETE FROM everytick.tick AS t
USING unnest(%(task_id)s::bigint[], %(due_at)s::bigint[], %(request)s::bigint[])
    AS d (task_id, due_at, request)
WHERE t.task_id = d.task_id AND t.due_at = d.due_at AND t.request = d.request AND t.ended_at IS NOT NULL;

-- name: prune_attempts
-- Delete the attempts of ticks.
DELETE FROM everytick.attempt AS a
USING unnest(%(task_id)s::bigint[], %(due_at)s::bigint[], %(request)s::bigint[])
    AS d (task_id, due_at, request)
WHERE a.task_id = d.task_id AND a.due_at = d.due_at AND a.request = d.request;

-- name: prune_outputs
-- Delete what the attempts of ticks said.
DELETE FROM everytick.output AS o
USING unnest(%(task_id)s::bigint[], %(due_at)s::bigint[], %(request)s::bigint[])
    AS d (task_id, due_at, request)
WHERE o.task_id = d.task_id AND o.due_at = d.due_at AND o.request = d.request;
