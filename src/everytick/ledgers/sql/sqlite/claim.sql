-- name: select_alive
-- Whether a process may hold anything: one that was declared dead, and does not know it yet, may not.
SELECT 1 FROM process WHERE id = :process AND status = 'alive' AND beat >= :beat;

-- name: next_ready
-- When the next tick of a queue and priority is ready.
SELECT ready_at FROM tick
WHERE queue = :queue AND priority = :priority AND ready_at IS NOT NULL
  AND task_id NOT IN (SELECT value FROM json_each(:without))
ORDER BY ready_at LIMIT 1;

-- name: select_ready
-- Ticks that are ready, longest ready first.
SELECT task_id, due_at, request, version, prev_due, next_due, attempt, reruns,
       (SELECT c.version FROM cursor AS c WHERE c.task_id = tick.task_id AND c.request = 0)
FROM tick
WHERE queue = :queue AND priority = :priority AND ready_at <= :now
  AND task_id NOT IN (SELECT value FROM json_each(:without))
ORDER BY ready_at LIMIT :limit;

-- name: select_slots
-- Who holds the lanes of tasks, and who waits for them.
SELECT task_id, due_at, request, lane, attempt, holder, cancel_requested
FROM slot WHERE task_id IN (SELECT value FROM json_each(:tasks))
ORDER BY task_id, lane;

-- name: insert_slot
-- A lane taken, or a place in the queue for one: law 6.
INSERT INTO slot (task_id, lane, due_at, request, attempt, holder)
VALUES (:task_id, :lane, :due_at, :request, :attempt, :holder);

-- name: take_slot
-- A tick that had a slot already, waiting or in back-off, takes its lane.
UPDATE slot SET lane = :lane, attempt = :attempt, holder = :holder, cancel_requested = 0
WHERE task_id = :task_id AND due_at = :due_at AND request = :request;

-- name: start_tick
-- A local executor starts the attempt in the claim itself.
UPDATE tick SET state = 'running', ready_at = NULL, holder = :holder, started_at = :now
WHERE task_id = :task_id AND due_at = :due_at AND request = :request
  AND state = 'planned' AND attempt = :attempt;

-- name: delay_tick
-- A planned tick becomes ready at another moment.
UPDATE tick SET ready_at = :ready_at
WHERE task_id = :task_id AND due_at = :due_at AND request = :request AND state = 'planned';

-- name: ending_facts
-- What the proof of an ending is made of, beside the ending itself.
SELECT through, count, attempt FROM tick
WHERE task_id = :task_id AND due_at = :due_at AND request = :request;

-- name: end_tick
-- End a tick that is not running.
UPDATE tick
SET state = :state, reason = :reason, ready_at = NULL, holder = NULL, ended_at = :now, proof = :proof
WHERE task_id = :task_id AND due_at = :due_at AND request = :request AND state IN ('planned', 'queued');

-- name: delete_slot
-- Give a lane, or a place in the queue, back.
DELETE FROM slot WHERE task_id = :task_id AND due_at = :due_at AND request = :request;

-- name: select_awaited
-- Which of these tasks have a lane that somebody waits for.
SELECT DISTINCT task_id FROM slot
WHERE task_id IN (SELECT value FROM json_each(:tasks)) AND lane < 0 ORDER BY task_id;

-- name: first_waiting
-- Who waits longest for the lanes of a task, by due_at, and has not been woken yet.
SELECT s.due_at, s.request FROM slot AS s JOIN tick AS t USING (task_id, due_at, request)
WHERE s.task_id = :task_id AND s.lane < 0 AND t.ready_at > :now
ORDER BY s.due_at, s.request LIMIT :lanes;

-- name: ask_to_stop
-- Ask the attempt that holds a lane to stop.
UPDATE slot SET cancel_requested = 1
WHERE task_id = :task_id AND due_at = :due_at AND request = :request AND lane >= 0;

-- name: admit
-- The oldest unstarted ticks of a task that were asked for by hand stand in line, the others in reserve:
-- what has come to be among the oldest is ready now. A backfill has a cursor, a manual run has none.
UPDATE tick SET ready_at = :now
WHERE ready_at = :reserve AND (due_at, task_id, request) IN (
    SELECT t.due_at, t.task_id, t.request FROM tick AS t
    WHERE t.task_id = :task_id AND t.request > 0 AND t.ready_at IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM cursor AS c WHERE c.task_id = t.task_id AND c.request = t.request)
    ORDER BY t.request LIMIT :cap);
