-- name: select_versions
-- The versions of tasks.
SELECT v.task_id, task.name, task.origin, v.version, v.since, v.status, v.paused_until, v.anchor, v.rules,
       v.definition, v.change_id
FROM task_version AS v JOIN task ON task.id = v.task_id
WHERE v.task_id IN (SELECT value FROM json_each(:tasks));

-- name: select_numbered
-- Some versions of tasks.
SELECT v.task_id, task.name, task.origin, v.version, v.since, v.status, v.paused_until, v.anchor, v.rules,
       v.definition, v.change_id
FROM json_each(:wanted) AS d
JOIN task_version AS v ON v.task_id = json_extract(d.value, '$[0]') AND v.version = json_extract(d.value, '$[1]')
JOIN task ON task.id = v.task_id;

-- name: select_tasks
-- A page of tasks by name, with their newest version, their cursor, and the newest instant whose
-- scheduled tick has been considered: it is not planned any more, or it has a slot, to wait or to try
-- again.
SELECT v.task_id, task.name, task.origin, v.version, v.since, v.status, v.paused_until, v.anchor, v.rules,
       v.definition, v.change_id, c.planned_through, c.last_due, c.next_due,
       (SELECT coalesce(t.through, t.due_at) FROM tick AS t
        WHERE t.task_id = task.id AND t.request = 0 AND t.due_at <= c.last_due
          AND (t.state <> 'planned' OR EXISTS (SELECT 1 FROM slot AS s
               WHERE s.task_id = t.task_id AND s.due_at = t.due_at AND s.request = 0))
        ORDER BY t.due_at DESC LIMIT 1)
FROM task
JOIN cursor AS c ON c.task_id = task.id AND c.request = 0
JOIN task_version AS v ON v.task_id = task.id AND v.version = c.version
WHERE task.name > :after AND (:origin IS NULL OR task.origin = :origin)
ORDER BY task.name LIMIT :limit;

-- name: select_task
-- One task, as select_tasks tells it.
SELECT v.task_id, task.name, task.origin, v.version, v.since, v.status, v.paused_until, v.anchor, v.rules,
       v.definition, v.change_id, c.planned_through, c.last_due, c.next_due,
       (SELECT coalesce(t.through, t.due_at) FROM tick AS t
        WHERE t.task_id = task.id AND t.request = 0 AND t.due_at <= c.last_due
          AND (t.state <> 'planned' OR EXISTS (SELECT 1 FROM slot AS s
               WHERE s.task_id = t.task_id AND s.due_at = t.due_at AND s.request = 0))
        ORDER BY t.due_at DESC LIMIT 1)
FROM task
JOIN cursor AS c ON c.task_id = task.id AND c.request = 0
JOIN task_version AS v ON v.task_id = task.id AND v.version = c.version
WHERE task.name = :name;

-- name: select_ticks
-- Ticks due in a window, newest first.
SELECT t.task_id, t.due_at, t.request, task.name, t.version, t.prev_due, t.next_due, t.through, t.count,
       t.state, t.reason, t.queue, t.priority, t.ready_at, t.attempt, t.reruns, t.holder, t.sent_at,
       t.started_at, t.ended_at, t.summary, t.proof
FROM tick AS t JOIN task ON task.id = t.task_id
WHERE t.due_at >= :since AND t.due_at <= :until
  AND (:states = '[]' OR t.state IN (SELECT value FROM json_each(:states)))
ORDER BY t.due_at DESC, t.task_id DESC, t.request DESC LIMIT :limit;

-- name: select_task_ticks
-- Ticks of one task due in a window, newest first.
SELECT t.task_id, t.due_at, t.request, task.name, t.version, t.prev_due, t.next_due, t.through, t.count,
       t.state, t.reason, t.queue, t.priority, t.ready_at, t.attempt, t.reruns, t.holder, t.sent_at,
       t.started_at, t.ended_at, t.summary, t.proof
FROM task JOIN tick AS t ON t.task_id = task.id
WHERE task.name = :task AND t.due_at >= :since AND t.due_at <= :until
  AND (:states = '[]' OR t.state IN (SELECT value FROM json_each(:states)))
ORDER BY t.due_at DESC, t.request DESC LIMIT :limit;

-- name: select_tick
-- One tick.
SELECT t.task_id, t.due_at, t.request, task.name, t.version, t.prev_due, t.next_due, t.through, t.count,
       t.state, t.reason, t.queue, t.priority, t.ready_at, t.attempt, t.reruns, t.holder, t.sent_at,
       t.started_at, t.ended_at, t.summary, t.proof
FROM tick AS t JOIN task ON task.id = t.task_id
WHERE t.task_id = :task_id AND t.due_at = :due_at AND t.request = :request;

-- name: select_last
-- Of each of some tasks the newest tick due by an instant that has ended.
SELECT t.task_id, t.due_at, t.request, task.name, t.version, t.prev_due, t.next_due, t.through, t.count,
       t.state, t.reason, t.queue, t.priority, t.ready_at, t.attempt, t.reruns, t.holder, t.sent_at,
       t.started_at, t.ended_at, t.summary, t.proof
FROM json_each(:tasks) AS wanted
JOIN task ON task.id = wanted.value
JOIN tick AS t ON (t.task_id, t.due_at, t.request) = (
    SELECT task_id, due_at, request FROM tick
    WHERE task_id = wanted.value AND due_at <= :until
      AND state IN ('succeeded', 'failed', 'cancelled', 'skipped')
    ORDER BY due_at DESC, request DESC LIMIT 1);

-- name: select_attempts
-- The attempts of ticks that did not end them, and refused results.
SELECT a.task_id, a.due_at, a.request, a.attempt, a.holder, a.started_at, a.ended_at, a.outcome, a.refused_at
FROM json_each(:keys) AS wanted
JOIN attempt AS a ON a.task_id = json_extract(wanted.value, '$[0]')
     AND a.due_at = json_extract(wanted.value, '$[1]') AND a.request = json_extract(wanted.value, '$[2]')
ORDER BY a.task_id, a.due_at, a.request, a.attempt, a.ended_at;

-- name: select_output
-- What an attempt said.
SELECT error, output FROM output
WHERE task_id = :task_id AND due_at = :due_at AND request = :request AND attempt = :attempt;

-- name: select_changes
-- Changes in order: all of them, or those of an act, by an index each.
SELECT id, at, actor, act, note, detail FROM change WHERE :act IS NULL AND id > :after
UNION ALL
SELECT id, at, actor, act, note, detail FROM change WHERE act = :act AND id > :after
ORDER BY id LIMIT :limit;

-- name: select_backfills
-- Backfills of a task that are not planned to their end.
SELECT task_id, request, version, planned_through, last_due, through, 0
FROM cursor WHERE task_id = :task_id AND request <> 0 AND next_due IS NOT NULL;

-- name: count_states
-- How many ticks of a task due from an instant on are in each state.
SELECT state, sum(count) FROM tick WHERE task_id = :task_id AND due_at >= :since GROUP BY state;

-- name: head_of_line
-- Which planned tick of a queue and class is ready first, and whose it is.
SELECT t.ready_at, task.name
FROM tick AS t JOIN task ON task.id = t.task_id
WHERE t.queue = :queue AND t.priority = :priority AND t.ready_at IS NOT NULL
ORDER BY t.ready_at LIMIT 1;
