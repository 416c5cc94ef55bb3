-- name: insert_process
-- A process comes to life.
INSERT INTO everytick.process (kind, host, pid, boot, release, started_at, beat, skew, status)
VALUES (%(kind)s, %(host)s, %(pid)s, %(boot)s, %(release)s, %(started_at)s, %(beat)s, %(skew)s, 'alive')
RETURNING id;

-- name: beat_process
-- Renew a beat, if the row is as its process left it; a beat whose commit was in doubt is repeated.
UPDATE everytick.process SET beat = %(beat)s, skew = %(skew)s
WHERE id = %(process)s AND beat IN (%(beat)s - 1, %(beat)s) AND status = 'alive';

-- name: retire_process
-- A process ended well. One that still holds an attempt has not: a sweeper will find it.
UPDATE everytick.process SET status = 'gone'
WHERE id = %(process)s AND status = 'alive'
  AND NOT EXISTS (SELECT 1 FROM everytick.slot WHERE holder = %(process)s);

-- name: bury_process
-- A sweeper declares a process dead, if its beat is still the one it saw when the silence began.
UPDATE everytick.process SET status = 'dead' WHERE id = %(process)s AND status = 'alive' AND beat = %(beat)s;

-- name: select_processes
-- Processes that are not known to have ended.
SELECT id, kind, host, pid, boot, release, started_at, beat, skew, status
FROM everytick.process WHERE status = 'alive' ORDER BY id;

-- name: select_process
-- One process, whatever became of it.
SELECT id, kind, host, pid, boot, release, started_at, beat, skew, status
FROM everytick.process WHERE id = %(process)s;

-- name: moment
-- What the server's own clock says, to be compared with others; nothing that is written goes by it.
SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;

-- name: lock_held
-- Nobody settles the attempts of a process, nor asks them to stop, before this ends: the tick first and
-- then its slot, by key, as everybody does it.
SELECT t.task_id
FROM everytick.slot AS s JOIN everytick.tick AS t USING (task_id, due_at, request)
WHERE s.holder = %(holder)s AND t.holder = %(holder)s
ORDER BY t.task_id, t.due_at, t.request
FOR UPDATE OF t, s;

-- name: select_held
-- The attempts that a process holds.
SELECT t.task_id, t.due_at, t.request, t.attempt, t.holder, t.reruns, t.version, t.prev_due, t.next_due,
       t.started_at, s.cancel_requested
FROM everytick.slot AS s JOIN everytick.tick AS t USING (task_id, due_at, request)
WHERE s.holder = %(holder)s AND t.holder = %(holder)s
ORDER BY t.task_id, t.due_at, t.request;

-- name: select_stops
-- The ticks a process runs that somebody asked to stop.
SELECT task_id, due_at, request FROM everytick.slot WHERE holder = %(holder)s AND cancel_requested;

-- name: others_wrote
-- Grows with the changes that people make, and with the requests to stop that are open.
SELECT coalesce((SELECT id FROM everytick.change ORDER BY id DESC LIMIT 1), 0)
       + (SELECT count(*) FROM everytick.slot WHERE cancel_requested);
