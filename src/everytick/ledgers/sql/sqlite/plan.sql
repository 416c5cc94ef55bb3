-- name: select_cursors
-- Cursors that reach less far than the horizon, most pressing first, with how many of their ticks
-- nobody has started; a task that has its fill of those is left alone.
SELECT task_id, request, version, planned_through, last_due, through, unstarted
FROM (
    SELECT c.*, (SELECT count(*) FROM tick AS t
                 WHERE t.task_id = c.task_id AND t.request = c.request
                   AND t.ready_at IS NOT NULL) AS unstarted
    FROM cursor AS c
    WHERE c.next_due <= :until
      AND c.task_id NOT IN (SELECT value FROM json_each(:without))
)
WHERE unstarted < :cap
ORDER BY next_due
LIMIT :limit;

-- name: move_cursor
-- Move a cursor on, if it still stands where it was read.
UPDATE cursor
SET planned_through = :planned_through, last_due = :last_due, next_due = :next_due
WHERE task_id = :task_id AND request = :request AND version = :version
  AND planned_through = :was AND planned_through < :planned_through;

-- name: insert_tick
-- A planned tick, or a range row of skipped ones.
INSERT INTO tick (task_id, due_at, request, version, prev_due, next_due, through, count, state, reason,
                  queue, priority, ready_at, ended_at, proof)
VALUES (:task_id, :due_at, :request, :version, :prev_due, :next_due, :through, :count, :state, :reason,
        :queue, :priority, :ready_at, :ended_at, :proof);

-- name: next_plan
-- When planning has to look at a cursor next.
SELECT min(next_due) FROM cursor WHERE next_due IS NOT NULL;
