-- name: select_versions
-- The versions of tasks. Each is sought by its key: a thousand of half a million tasks are a hundredth of a
-- second then, where PostgreSQL would rather read all their names.
SELECT d.id, task.name, task.origin, v.version, v.since, v.status, v.paused_until, v.anchor, v.rules,
       v.definition, v.change_id
FROM unnest(%(tasks)s::bigint[]) AS d (id)
CROSS JOIN LATERAL (SELECT name, origin FROM everytick.task WHERE id = d.id OFFSET 0) AS task
CROSS JOIN LATERAL (SELECT * FROM everytick.task_version WHERE task_id = d.id OFFSET 0) AS v;

-- name: select_numbered
-- Some versions of tasks. Each is sought in an order that only the primary key has: where statistics were taken
-- while tasks had one version each, PostgreSQL would rather look through all that a task has.
SELECT d.id, task.name, task.origin, v.version, v.since, v.status, v.paused_until, v.anchor, v.rules,
       v.definition, v.change_id
FROM unnest(%(tasks)s::bigint[], %(numbers)s::integer[]) AS d (id, number)
CROSS JOIN LATERAL (SELECT name, origin FROM everytick.task WHERE id = d.id OFFSET 0) AS task
CROSS JOIN LATERAL (
    SELECT * FROM everytick.task_version
    WHERE task_id = d.id AND version >= d.number AND version <= d.number ORDER BY version LIMIT 1
) AS v;

-- name: select_tasks
-- A page of tasks by name, with their newest version, their cursor, and the newest instant whose
-- scheduled tick has been considered: it is not planned any more, or it has a slot, to wait or to try
-- again. Each row is sought by its key, however old the statistics are.
SELECT v.task_id, task.name, task.origin, v.version, v.since, v.status, v.paused_until, v.anchor, v.rules,
       v.definition, v.change_id, c.planned_through, c.last_due, c.next_due,
       (SELECT coalesce(t.through, t.due_at) FROM everytick.tick AS t
        WHERE t.task_id = task.id AND t.request = 0 AND t.due_at <= c.last_due
          AND (t.state <> 'planned' OR EXISTS (SELECT 1 FROM everytick.slot AS s
               WHERE s.task_id = t.task_id AND s.due_at = t.due_at AND s.request = 0))
        ORDER BY t.due_at DESC LIMIT 1)
FROM everytick.task
CROSS JOIN LATERAL (SELECT * FROM everytick.cursor WHERE task_id = task.id AND request = 0 OFFSET 0) AS c
CROSS JOIN LATERAL (
    SELECT * FROM everytick.task_version WHERE task_id = task.id AND version = c.version OFFSET 0
) AS v
WHERE task.name > %(after)s AND (%(origin)s::text IS NULL OR task.origin = %(origin)s)
ORDER BY task.name LIMIT %(limit)s;

-- name: select_named
-- Some tasks, as select_tasks tells them.
SELECT v.task_id, task.name, task.origin, v.version, v.since, v.status, v.paused_until, v.anchor, v.rules,
       v.definition, v.change_id, c.planned_through, c.last_due, c.next_due,
       (SELECT coalesce(t.through, t.due_at) FROM everytick.tick AS t
        WHERE t.task_id = task.id AND t.request = 0 AND t.due_at <= c.last_due
          AND (t.state <> 'planned' OR EXISTS (SELECT 1 FROM everytick.slot AS s
               WHERE s.task_id = t.task_id AND s.due_at = t.due_at AND s.request = 0))
        ORDER BY t.due_at DESC LIMIT 1)
FROM everytick.task
CROSS JOIN LATERAL (SELECT * FROM everytick.cursor WHERE task_id = task.id AND request = 0 OFFSET 0) AS c
CROSS JOIN LATERAL (
    SELECT * FROM everytick.task_version WHERE task_id = task.id AND version = c.version OFFSET 0
) AS v
WHERE task.name = ANY (%(names)s::text[]) ORDER BY task.name;

-- name: select_ticks
-- Ticks due in a window, newest first.
SELECT t.task_id, t.due_at, t.request, task.name, t.version, t.prev_due, t.next_due, t.through, t.count,
       t.state, t.reason, t.queue, t.priority, t.ready_at, t.attempt, t.reruns, t.holder, t.sent_at,
       t.started_at, t.ended_at, t.summary, t.proof
FROM everytick.tick AS t JOIN everytick.task ON task.id = t.task_id
WHERE t.due_at >= %(since)s AND t.due_at <= %(until)s
  AND (cardinality(%(states)s::text[]) = 0 OR t.state = ANY (%(states)s::text[]))
ORDER BY t.due_at DESC, t.task_id DESC, t.request DESC LIMIT %(limit)s;

-- name: select_task_ticks
-- Ticks of one task due in a window, newest first.
SELECT t.task_id, t.due_at, t.request, task.name, t.version, t.prev_due, t.next_due, t.through, t.count,
       t.state, t.reason, t.queue, t.priority, t.ready_at, t.attempt, t.reruns, t.holder, t.sent_at,
       t.started_at, t.ended_at, t.summary, t.proof
FROM everytick.task JOIN everytick.tick AS t ON t.task_id = task.id
WHERE task.name = %(task)s AND t.due_at >= %(since)s AND t.due_at <= %(until)s
  AND (cardinality(%(states)s::text[]) = 0 OR t.state = ANY (%(states)s::text[]))
ORDER BY t.due_at DESC, t.request DESC LIMIT %(limit)s;

-- name: select_tick
-- One tick.
SELECT t.task_id, t.due_at, t.request, task.name, t.version, t.prev_due, t.next_due, t.through, t.count,
       t.state, t.reason, t.queue, t.priority, t.ready_at, t.attempt, t.reruns, t.holder, t.sent_at,
       t.started_at, t.ended_at, t.summary, t.proof
FROM everytick.tick AS t JOIN everytick.task ON task.id = t.task_id
WHERE t.task_id = %(task_id)s AND t.due_at = %(due_at)s AND t.request = %(request)s;

-- name: select_last
-- Of each of some tasks the newest tick due by an instant that has ended.
SELECT t.task_id, t.due_at, t.request, task.name, t.version, t.prev_due, t.next_due, t.through, t.count,
       t.state, t.reason, t.queue, t.priority, t.ready_at, t.attempt, t.reruns, t.holder, t.sent_at,
       t.started_at, t.ended_at, t.summary, t.proof
FROM unnest(%(tasks)s::bigint[]) AS wanted (task_id)
CROSS JOIN LATERAL (SELECT name FROM everytick.task WHERE id = wanted.task_id OFFSET 0) AS task
CROSS JOIN LATERAL (
    SELECT * FROM everytick.tick
    WHERE task_id = wanted.task_id AND due_at <= %(until)s
      AND state IN ('succeeded', 'failed', 'cancelled', 'skipped')
    ORDER BY due_at DESC, request DESC LIMIT 1
) AS t;

-- name: select_attempts
-- The attempts of ticks that did not end them, and refused results.
SELECT a.task_id, a.due_at, a.request, a.attempt, a.holder, a.started_at, a.ended_at, a.outcome, a.refused_at
FROM unnest(%(task_id)s::bigint[], %(due_at)s::bigint[], %(request)s::bigint[])
    AS wanted (task_id, due_at, request)
CROSS JOIN LATERAL (
    SELECT * FROM everytick.attempt
    WHERE task_id = wanted.task_id AND due_at = wanted.due_at AND request = wanted.request OFFSET 0
) AS a
ORDER BY a.task_id, a.due_at, a.request, a.attempt, a.ended_at;

-- name: select_output
-- What an attempt said.
SELECT error, output FROM everytick.output
WHERE task_id = %(task_id)s AND due_at = %(due_at)s AND request = %(request)s AND attempt = %(attempt)s;

-- name: select_changes
-- Changes in order.
SELECT id, at, actor, act, note, detail FROM everytick.change
WHERE id > %(after)s AND (%(act)s::text IS NULL OR act = %(act)s) ORDER BY id LIMIT %(limit)s;

-- name: select_backfills
-- Backfills of a task that are not planned to their end.
SELECT task_id, request, version, planned_through, last_due, through, 0
FROM everytick.cursor WHERE task_id = %(task_id)s AND request <> 0 AND next_due IS NOT NULL;

-- name: count_states
-- How many ticks of a task due from an instant on are in each state.
SELECT state, sum(count)::bigint FROM everytick.tick WHERE task_id = %(task_id)s AND due_at >= %(since)s GROUP BY state;

-- name: heads_of_lines
-- Which planned tick of each queue and class is ready first, and whose it is.
SELECT line.queue, line.priority, t.ready_at, task.name
FROM unnest(%(queues)s::text[], %(priorities)s::integer[], %(floors)s::bigint[])
    WITH ORDINALITY AS line (queue, priority, floor, place)
CROSS JOIN LATERAL (
    SELECT ready_at, task_id FROM everytick.tick
    WHERE queue = line.queue AND priority = line.priority AND ready_at >= line.floor
    ORDER BY ready_at LIMIT 1
) AS t
JOIN everytick.task ON task.id = t.task_id
ORDER BY line.place;
