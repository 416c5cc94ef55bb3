-- name: count_tasks
-- How many tasks there are.
SELECT count(*) FROM everytick.task;

-- name: select_histories
-- A page of tasks by number, with how far each is planned.
SELECT task.id, task.name, c.planned_through
FROM everytick.task JOIN everytick.cursor AS c ON c.task_id = task.id AND c.request = 0
WHERE task.id > %(behind)s ORDER BY task.id LIMIT %(limit)s;

-- name: select_histories_named
-- Some tasks, as select_histories tells them.
SELECT task.id, task.name, c.planned_through
FROM everytick.task JOIN everytick.cursor AS c ON c.task_id = task.id AND c.request = 0
WHERE task.name = ANY (%(names)s::text[]) AND task.id > %(behind)s ORDER BY task.id LIMIT %(limit)s;

-- name: select_recorded
-- The rows of tasks due in a span, behind a given one, for an audit.
SELECT t.task_id, t.due_at, t.request, task.name, t.version, t.prev_due, t.next_due, t.through, t.count,
       t.state, t.reason, t.queue, t.priority, t.ready_at, t.attempt, t.reruns, t.holder, t.sent_at,
       t.started_at, t.ended_at, t.summary, t.proof
FROM everytick.tick AS t JOIN everytick.task ON task.id = t.task_id
WHERE (t.task_id, t.due_at, t.request) > (%(task_id)s, %(due_at)s, %(request)s)
  AND t.task_id <= %(last)s AND task.id >= %(task_id)s AND task.id <= %(last)s
  AND t.due_at > %(after)s AND t.due_at <= %(through)s
ORDER BY t.task_id, t.due_at, t.request LIMIT %(limit)s;

-- name: select_recorded_by_time
-- The rows of all tasks due in a span, behind a given one, for an audit where tasks are few.
SELECT t.task_id, t.due_at, t.request, task.name, t.version, t.prev_due, t.next_due, t.through, t.count,
       t.state, t.reason, t.queue, t.priority, t.ready_at, t.attempt, t.reruns, t.holder, t.sent_at,
       t.started_at, t.ended_at, t.summary, t.proof
FROM everytick.tick AS t JOIN everytick.task ON task.id = t.task_id
WHERE (t.due_at, t.task_id, t.request) > (%(due_at)s, %(task_id)s, %(request)s) AND t.due_at <= %(through)s
ORDER BY t.due_at, t.task_id, t.request LIMIT %(limit)s;

-- name: select_recorded_before
-- The newest row of a task's schedule, or of a backfill, that is due at or before a moment.
SELECT t.task_id, t.due_at, t.request, task.name, t.version, t.prev_due, t.next_due, t.through, t.count,
       t.state, t.reason, t.queue, t.priority, t.ready_at, t.attempt, t.reruns, t.holder, t.sent_at,
       t.started_at, t.ended_at, t.summary, t.proof
FROM everytick.tick AS t JOIN everytick.task ON task.id = t.task_id
WHERE t.task_id = %(task_id)s AND t.due_at <= %(moment)s AND t.request = %(request)s
ORDER BY t.due_at DESC LIMIT 1;

-- name: select_all_before
-- The same of the schedules of several tasks.
SELECT t.task_id, t.due_at, t.request, task.name, t.version, t.prev_due, t.next_due, t.through, t.count,
       t.state, t.reason, t.queue, t.priority, t.ready_at, t.attempt, t.reruns, t.holder, t.sent_at,
       t.started_at, t.ended_at, t.summary, t.proof
FROM unnest(%(tasks)s::bigint[]) AS wanted (task_id)
CROSS JOIN LATERAL (
    SELECT * FROM everytick.tick
    WHERE tick.task_id = wanted.task_id AND tick.due_at <= %(moment)s AND tick.request = 0
    ORDER BY tick.due_at DESC LIMIT 1
) AS t
JOIN everytick.task ON task.id = t.task_id;

-- name: select_backfills_asked
-- All backfills of tasks, ended ones too, with the change that asked for each.
SELECT c.task_id, c.request, c.version, c.planned_through, c.last_due, c.through, 0,
       change.id, change.at, change.actor, change.act, change.note, change.detail
FROM everytick.cursor AS c JOIN everytick.change ON change.id = c.request
WHERE c.task_id = ANY (%(tasks)s::bigint[]) AND c.request <> 0 ORDER BY c.task_id, c.request;

-- name: select_standing
-- Which of some ticks have a row.
SELECT t.task_id, t.due_at, t.request
FROM unnest(%(task_id)s::bigint[], %(due_at)s::bigint[], %(request)s::bigint[])
    AS wanted (task_id, due_at, request)
JOIN everytick.tick AS t USING (task_id, due_at, request);

-- name: select_seals
-- What was pruned of tasks.
SELECT task_id, through, counts, digest FROM everytick.seal WHERE task_id = ANY (%(tasks)s::bigint[]) ORDER BY task_id, through;
