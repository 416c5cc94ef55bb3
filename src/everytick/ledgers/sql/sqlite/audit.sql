-- name: count_tasks
-- How many tasks there are.
SELECT count(*) FROM task;

-- name: select_histories
-- A page of tasks by number, with how far each is planned.
SELECT task.id, task.name, c.planned_through
FROM task JOIN cursor AS c ON c.task_id = task.id AND c.request = 0
WHERE task.id > :behind ORDER BY task.id LIMIT :limit;

-- name: select_histories_named
-- Some tasks, as select_histories tells them.
SELECT task.id, task.name, c.planned_through
FROM task JOIN cursor AS c ON c.task_id = task.id AND c.request = 0
WHERE task.name IN (SELECT value FROM json_each(:names)) AND task.id > :behind ORDER BY task.id LIMIT :limit;

-- name: select_recorded
-- The rows of tasks due in a span, behind a given one, for an audit.
SELECT t.task_id, t.due_at, t.request, task.name, t.version, t.prev_due, t.next_due, t.through, t.count,
       t.state, t.reason, t.queue, t.priority, t.ready_at, t.attempt, t.reruns, t.holder, t.sent_at,
       t.started_at, t.ended_at, t.summary, t.proof
FROM tick AS t JOIN task ON task.id = t.task_id
WHERE (t.task_id, t.due_at, t.request) > (:task_id, :due_at, :request)
  AND t.task_id <= :last AND task.id >= :task_id AND task.id <= :last
  AND t.due_at > :after AND t.due_at <= :through
ORDER BY t.task_id, t.due_at, t.request LIMIT :limit;

-- name: select_recorded_by_time
-- The rows of all tasks due in a span, behind a given one, for an audit where tasks are few.
SELECT t.task_id, t.due_at, t.request, task.name, t.version, t.prev_due, t.next_due, t.through, t.count,
       t.state, t.reason, t.queue, t.priority, t.ready_at, t.attempt, t.reruns, t.holder, t.sent_at,
       t.started_at, t.ended_at, t.summary, t.proof
FROM tick AS t JOIN task ON task.id = t.task_id
WHERE (t.due_at, t.task_id, t.request) > (:due_at, :task_id, :request) AND t.due_at <= :through
ORDER BY t.due_at, t.task_id, t.request LIMIT :limit;

-- name: select_recorded_before
-- The newest row of a task's schedule, or of a backfill, that is due at or before a moment.
SELECT t.task_id, t.due_at, t.request, task.name, t.version, t.prev_due, t.next_due, t.through, t.count,
       t.state, t.reason, t.queue, t.priority, t.ready_at, t.attempt, t.reruns, t.holder, t.sent_at,
       t.started_at, t.ended_at, t.summary, t.proof
FROM tick AS t JOIN task ON task.id = t.task_id
WHERE t.task_id = :task_id AND t.due_at <= :moment AND t.request = :request
ORDER BY t.due_at DESC LIMIT 1;

-- name: select_backfills_asked
-- All backfills of tasks, ended ones too, with the change that asked for each.
SELECT c.task_id, c.request, c.version, c.planned_through, c.last_due, c.through, 0,
       change.id, change.at, change.actor, change.act, change.note, change.detail
FROM cursor AS c JOIN change ON change.id = c.request
WHERE c.task_id IN (SELECT value FROM json_each(:tasks)) AND c.request <> 0 ORDER BY c.task_id, c.request;

-- name: select_standing
-- Which of some ticks have a row.
SELECT t.task_id, t.due_at, t.request
FROM json_each(:keys) AS wanted
JOIN tick AS t ON t.task_id = json_extract(wanted.value, '$[0]') AND t.due_at = json_extract(wanted.value, '$[1]')
     AND t.request = json_extract(wanted.value, '$[2]');

-- name: select_seals
-- What was pruned of tasks.
SELECT task_id, through, counts, digest FROM seal WHERE task_id IN (SELECT value FROM json_each(:tasks)) ORDER BY task_id, through;
