-- name: select_needed
-- When the newest success of each task was due, and the last of so many of its newest rows that ended.
SELECT d.value,
       (SELECT due_at FROM tick WHERE task_id = d.value AND state = 'succeeded' ORDER BY due_at DESC LIMIT 1),
       (SELECT due_at FROM tick WHERE task_id = d.value AND ended_at IS NOT NULL
        ORDER BY due_at DESC LIMIT 1 OFFSET :newest - 1)
FROM json_each(:tasks) AS d;

-- name: first_unsettled
-- The first row of a task due by its bound that has not ended by a moment, or reaches beyond the bound.
SELECT due_at FROM tick
WHERE task_id = :task_id AND due_at <= :through AND (ended_at IS NULL OR ended_at > :since OR through > :through)
ORDER BY due_at LIMIT 1;

-- name: delete_seals
-- Seals give way to newer ones.
DELETE FROM seal WHERE task_id IN (SELECT value FROM json_each(:tasks));

-- name: insert_seal
-- What is pruned of a task.
INSERT INTO seal (task_id, through, counts, digest) VALUES (:task_id, :through, :counts, :digest);

-- name: select_sealed
-- Rows of a task that have ended and that its seal stands for.
SELECT task_id, due_at, request FROM tick
WHERE task_id = :task_id AND due_at >= :after AND due_at <= :through AND request <= :request
  AND ended_at IS NOT NULL
ORDER BY due_at LIMIT :limit;

-- name: prune_tick
-- Delete a tick that has ended.
DELETE FROM tick
WHERE task_id = :task_id AND due_at = :due_at AND request = :request AND ended_at IS NOT NULL;

-- name: prune_attempts
-- Delete the attempts of a tick.
DELETE FROM attempt WHERE task_id = :task_id AND due_at = :due_at AND request = :request;

-- name: prune_outputs
-- Delete what the attempts of a tick said.
DELETE FROM output WHERE task_id = :task_id AND due_at = :due_at AND request = :request;
