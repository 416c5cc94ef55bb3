-- name: end_attempt
-- The outcome of a tick, written by the holder of its current attempt alone: law 4.
UPDATE tick
SET state = :state, reason = :reason, holder = NULL, ended_at = :now, summary = :summary, proof = :proof
WHERE task_id = :task_id AND due_at = :due_at AND request = :request
  AND attempt = :attempt AND holder = :holder AND state = 'running';

-- name: try_again
-- The next attempt of a tick is planned, unless somebody asked it to stop; its number is the new
-- fencing token.
UPDATE tick
SET state = 'planned', attempt = :attempt + 1, reruns = :reruns, ready_at = :ready_at,
    holder = NULL, sent_at = NULL, started_at = NULL
WHERE task_id = :task_id AND due_at = :due_at AND request = :request
  AND attempt = :attempt AND holder = :holder AND state IN ('queued', 'running')
  AND NOT EXISTS (SELECT 1 FROM slot AS s
                  WHERE s.task_id = :task_id AND s.due_at = :due_at AND s.request = :request
                    AND s.cancel_requested = 1);

-- name: idle_slot
-- A tick keeps its lane while it waits for its next attempt.
UPDATE slot SET attempt = :attempt + 1, holder = NULL
WHERE task_id = :task_id AND due_at = :due_at AND request = :request;

-- name: keep_attempt
-- An attempt that did not end its tick, or a late result that is refused; told again, it stands once.
INSERT INTO attempt
    (task_id, due_at, request, attempt, holder, started_at, ended_at, outcome, refused_at)
VALUES (:task_id, :due_at, :request, :attempt, :holder, :started_at, :now, :outcome, :refused_at)
ON CONFLICT DO NOTHING;

-- name: keep_output
-- What an attempt said.
INSERT INTO output (task_id, due_at, request, attempt, error, output)
VALUES (:task_id, :due_at, :request, :attempt, :error, :output)
ON CONFLICT DO NOTHING;

-- name: settled_before
-- Whether this very settlement stands already: its commit was in doubt and is repeated.
SELECT EXISTS (
    SELECT 1 FROM tick
    WHERE task_id = :task_id AND due_at = :due_at AND request = :request
      AND attempt = :attempt AND state = :state AND ended_at IS NOT NULL
      AND reason IS :reason
) OR EXISTS (
    SELECT 1 FROM attempt
    WHERE task_id = :task_id AND due_at = :due_at AND request = :request
      AND attempt = :attempt AND holder = :holder AND outcome = :outcome AND refused_at IS NULL
);
