-- name: insert_process
-- A process comes to life.
INSERT INTO process (kind, host, pid, boot, release, started_at, beat, skew, status)
VALUES (:kind, :host, :pid, :boot, :release, :started_at, :beat, :skew, 'alive');

-- name: beat_process
-- Renew a beat, if the row is as its process left it; a beat whose commit was in doubt is repeated.
UPDATE process SET beat = :beat, skew = :skew
WHERE id = :process AND beat IN (:beat - 1, :beat) AND status = 'alive';

-- name: retire_process
-- A process ended well. One that still holds an attempt has not: a sweeper will find it.
UPDATE process SET status = 'gone'
WHERE id = :process AND status = 'alive' AND NOT EXISTS (SELECT 1 FROM slot WHERE holder = :process);

-- name: bury_process
-- A sweeper declares a process dead, if its beat is still the one it saw when the silence began.
UPDATE process SET status = 'dead' WHERE id = :process AND status = 'alive' AND beat = :beat;

-- name: select_processes
-- Processes that are not known to have ended.
SELECT id, kind, host, pid, boot, release, started_at, beat, skew, status
FROM process WHERE status = 'alive' ORDER BY id;

-- name: select_process
-- One process, whatever became of it.
SELECT id, kind, host, pid, boot, release, started_at, beat, skew, status FROM process WHERE id = :process;

-- name: select_held
-- The attempts that a process holds.
SELECT t.task_id, t.due_at, t.request, t.attempt, t.holder, t.reruns, t.version, t.prev_due, t.next_due,
       t.started_at, s.cancel_requested
FROM slot AS s JOIN tick AS t USING (task_id, due_at, request)
WHERE s.holder = :holder AND t.holder = :holder
ORDER BY t.task_id, t.due_at, t.request;

-- name: select_stops
-- The ticks a process runs that somebody asked to stop.
SELECT task_id, due_at, request FROM slot WHERE holder = :holder AND cancel_requested = 1;
