-- name: select_recorded_before
-- The newest row of a task's schedule, or of a backfill, that is due at or before a moment.
SELECT t.task_id, t.due_at, t.request, task.name, t.version, t.prev_due, t.next_due, t.through, t.count,
       t.state, t.reason, t.queue, t.priority, t.ready_at, t.attempt, t.reruns, t.holder, t.sent_at,
       t.started_at, t.ended_at, t.summary, t.proof
FROM everytick.tick AS t JOIN everytick.task ON task.id = t.task_id
WHERE t.task_id = %(task_id)s AND t.due_at <= %(moment)s AND t.request = %(request)s
ORDER BY t.due_at DESC LIMIT 1;

-- name: select_backfills_asked
-- All backfills of a task, ended ones too, with the change that asked for each.
SELECT c.task_id, c.request, c.version, c.planned_through, c.last_due, c.through, 0,
       change.id, change.at, change.actor, change.act, change.note, change.detail
FROM everytick.cursor AS c JOIN everytick.change ON change.id = c.request
WHERE c.task_id = %(task_id)s AND c.request <> 0 ORDER BY c.request;
