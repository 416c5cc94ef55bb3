-- name: insert_change
-- Who did what, and why.
INSERT INTO change (at, actor, act, note, detail) VALUES (:at, :actor, :act, :note, :detail);

-- name: task_number
-- A task's number.
SELECT id FROM task WHERE name = :name;

-- name: insert_task
-- A new task.
INSERT INTO task (name, origin) VALUES (:name, :origin);

-- name: adopt_task
-- A task that was removed, or lay elsewhere, belongs to whoever edits it.
UPDATE task SET origin = :origin WHERE id = :task_id AND origin <> :origin;

-- name: insert_version
-- A version in force from ``since`` on.
INSERT INTO task_version
    (task_id, version, since, status, paused_until, anchor, rules, definition, change_id)
VALUES (:task_id, :version, :since, :status, :paused_until, :anchor, :rules, :definition, :change_id);

-- name: delete_planned
-- What was planned under an older version, beyond the moment the new one begins.
DELETE FROM tick
WHERE task_id = :task_id AND due_at > :since AND request = 0 AND state = 'planned';

-- name: newest_row
-- The newest scheduled tick that stays.
SELECT due_at, coalesce(through, due_at) FROM tick
WHERE task_id = :task_id AND due_at <= :since AND request = 0 ORDER BY due_at DESC LIMIT 1;

-- name: repoint_tick
-- The newest tick that stays planned is now missed when the new version's first tick is due.
UPDATE tick SET next_due = :next_due
WHERE task_id = :task_id AND due_at = :due_at AND request = 0 AND state = 'planned';

-- name: set_cursor
-- Where planning goes on under the new version.
INSERT INTO cursor (task_id, request, version, planned_through, last_due, next_due)
VALUES (:task_id, 0, :version, :planned_through, :last_due, :next_due)
ON CONFLICT (task_id, request) DO UPDATE
SET version = excluded.version, planned_through = excluded.planned_through,
    last_due = excluded.last_due, next_due = excluded.next_due;

-- name: select_asked
-- The oldest unstarted ticks of a task that were asked for by hand.
SELECT t.request FROM tick AS t
WHERE t.task_id = :task_id AND t.request > 0 AND t.ready_at IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM cursor AS c WHERE c.task_id = t.task_id AND c.request = t.request)
ORDER BY t.request LIMIT :cap;

-- name: insert_backfill
-- A cursor of its own for a backfill.
INSERT INTO cursor (task_id, request, version, planned_through, last_due, next_due, through)
VALUES (:task_id, :request, :version, :after, NULL, :first, :through);

-- name: stop_backfills
-- A task that is removed asks for nothing more.
UPDATE cursor SET next_due = NULL WHERE task_id = :task_id AND request <> 0;

-- name: select_idle
-- Ticks of a task that wait for a lane, for a pause to end or for a retry.
SELECT t.due_at, t.request, t.ready_at
FROM slot AS s JOIN tick AS t USING (task_id, due_at, request)
WHERE s.task_id = :task_id AND s.holder IS NULL;

-- name: newest_version
-- The number of a task's newest version.
SELECT max(version) FROM task_version WHERE task_id = :task_id;

-- name: last_due
-- The newest instant of a task that has a row.
SELECT last_due FROM cursor WHERE task_id = :task_id AND request = 0;

-- name: select_state
-- Where a tick is in its life.
SELECT state FROM tick WHERE task_id = :task_id AND due_at = :due_at AND request = :request;
