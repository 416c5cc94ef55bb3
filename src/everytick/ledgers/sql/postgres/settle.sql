-- name: end_attempts
-- The outcomes of ticks, written by the holders of their current attempts alone: law 4.
-- Each row is sought by its key first, whatever the planner believes of how many run: where nothing ran when
-- statistics were last taken it believes in one, and would hold every row of the batch against each that runs.
WITH own AS MATERIALIZED (
    SELECT d.task_id, d.due_at, d.request, d.state, d.reason, d.summary, d.proof, held.ctid AS place
    FROM unnest(%(task_id)s::bigint[], %(due_at)s::bigint[], %(request)s::bigint[], %(attempt)s::integer[],
                %(holder)s::bigint[], %(state)s::text[], %(reason)s::text[], %(summary)s::text[],
                %(proof)s::bigint[])
        AS d (task_id, due_at, request, attempt, holder, state, reason, summary, proof)
    CROSS JOIN LATERAL (
        SELECT ctid FROM everytick.tick
        WHERE task_id = d.task_id AND due_at = d.due_at AND request = d.request
          AND attempt = d.attempt AND holder = d.holder AND state = 'running'
        OFFSET 0 FOR UPDATE
    ) AS held
)
UPDATE everytick.tick AS t
SET state = own.state, reason = own.reason, holder = NULL, ended_at = %(now)s, summary = own.summary,
    proof = own.proof
FROM own WHERE t.ctid = own.place
RETURNING t.task_id, t.due_at, t.request;

-- name: lock_attempts
-- Current attempts that may be tried again; whether somebody asked for a stop cannot change any more.
SELECT d.task_id, d.due_at, d.request, s.cancel_requested
FROM unnest(%(task_id)s::bigint[], %(due_at)s::bigint[], %(request)s::bigint[], %(attempt)s::integer[],
            %(holder)s::bigint[]) AS d (task_id, due_at, request, attempt, holder)
CROSS JOIN LATERAL (
    SELECT FROM everytick.tick
    WHERE task_id = d.task_id AND due_at = d.due_at AND request = d.request
      AND attempt = d.attempt AND holder = d.holder AND state IN ('queued', 'running')
    OFFSET 0 FOR UPDATE
) AS t
CROSS JOIN LATERAL (
    SELECT cancel_requested FROM everytick.slot
    WHERE task_id = d.task_id AND due_at = d.due_at AND request = d.request
    OFFSET 0 FOR UPDATE
) AS s;

-- name: try_again
-- The next attempts of ticks are planned; their numbers are the new fencing tokens.
UPDATE everytick.tick AS t
SET state = 'planned', attempt = d.attempt + 1, reruns = d.reruns, ready_at = d.ready_at,
    holder = NULL, sent_at = NULL, started_at = NULL
FROM unnest(%(task_id)s::bigint[], %(due_at)s::bigint[], %(request)s::bigint[], %(attempt)s::integer[],
            %(reruns)s::integer[], %(ready_at)s::bigint[])
    AS d (task_id, due_at, request, attempt, reruns, ready_at)
WHERE t.task_id = d.task_id AND t.due_at = d.due_at AND t.request = d.request AND t.attempt = d.attempt;

-- name: idle_slots
-- Ticks keep their lanes while they wait for their next attempts. Each slot is sought by its key; lock_attempts
-- has locked it, so that it lies where this finds it.
WITH own AS MATERIALIZED (
    SELECT d.attempt, held.ctid AS place
    FROM unnest(%(task_id)s::bigint[], %(due_at)s::bigint[], %(request)s::bigint[], %(attempt)s::integer[])
        AS d (task_id, due_at, request, attempt)
    CROSS JOIN LATERAL (
        SELECT ctid FROM everytick.slot
        WHERE task_id = d.task_id AND due_at = d.due_at AND request = d.request
        OFFSET 0
    ) AS held
)
UPDATE everytick.slot AS s SET attempt = own.attempt + 1, holder = NULL
FROM own WHERE s.ctid = own.place;

-- name: keep_attempts
-- Attempts that did not end their tick, and late results that are refused; told again, they stand once.
INSERT INTO everytick.attempt
    (task_id, due_at, request, attempt, holder, started_at, ended_at, outcome, refused_at)
SELECT * FROM unnest(
    %(task_id)s::bigint[], %(due_at)s::bigint[], %(request)s::bigint[], %(attempt)s::integer[],
    %(holder)s::bigint[], %(started_at)s::bigint[], %(now)s::bigint[], %(outcome)s::text[],
    %(refused_at)s::bigint[])
ON CONFLICT DO NOTHING;

-- name: keep_outputs
-- What attempts said.
INSERT INTO everytick.output (task_id, due_at, request, attempt, error, output)
SELECT * FROM unnest(%(task_id)s::bigint[], %(due_at)s::bigint[], %(request)s::bigint[],
                     %(attempt)s::integer[], %(error)s::text[], %(output)s::text[])
ON CONFLICT DO NOTHING;

-- name: settled_before
-- Whether this very settlement stands already: its commit was in doubt and is repeated.
SELECT EXISTS (
    SELECT 1 FROM everytick.tick
    WHERE task_id = %(task_id)s AND due_at = %(due_at)s AND request = %(request)s
      AND attempt = %(attempt)s AND state = %(state)s AND ended_at IS NOT NULL
      AND reason IS NOT DISTINCT FROM %(reason)s::text
) OR EXISTS (
    SELECT 1 FROM everytick.attempt
    WHERE task_id = %(task_id)s AND due_at = %(due_at)s AND request = %(request)s
      AND attempt = %(attempt)s AND holder = %(holder)s AND outcome = %(outcome)s AND refused_at IS NULL
);
