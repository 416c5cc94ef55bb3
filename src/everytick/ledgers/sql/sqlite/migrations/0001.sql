-- The ledger, first edition. Instants are integers: microseconds since 1970-01-01T00:00:00Z.
-- What must hold stands in docs/why/ledger.md; as much of it as SQLite can check is checked here.

CREATE TABLE task (
    id      INTEGER PRIMARY KEY,
    name    TEXT NOT NULL UNIQUE,
    origin  TEXT NOT NULL
) STRICT;

-- Append-only: who did what, and why. One row for an apply, not one for each of its tasks.
CREATE TABLE change (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    actor   TEXT NOT NULL,
    act     TEXT NOT NULL,
    note    TEXT NOT NULL,
    detail  TEXT NOT NULL
) STRICT;

CREATE TRIGGER change_stands BEFORE UPDATE ON change
BEGIN
    SELECT RAISE(ABORT, 'a change that is written stands');
END;

-- In force over (since, the next version's since].
CREATE TABLE task_version (
    task_id       INTEGER NOT NULL,
    version       INTEGER NOT NULL,
    since         INTEGER NOT NULL,
    status        TEXT NOT NULL CHECK (status IN ('active', 'paused', 'removed')),
    paused_until  INTEGER,
    anchor        INTEGER NOT NULL,
    rules         TEXT NOT NULL,
    definition    TEXT NOT NULL,
    change_id     INTEGER NOT NULL,
    PRIMARY KEY (task_id, version),
    UNIQUE (task_id, since),
    CHECK (paused_until IS NULL OR status = 'paused')
) STRICT, WITHOUT ROWID;

CREATE TRIGGER task_version_stands BEFORE UPDATE ON task_version
BEGIN
    SELECT RAISE(ABORT, 'a version that is written stands');
END;

-- How far a task (request 0) or a backfill (request = its change) is planned. Small and hot.
CREATE TABLE cursor (
    task_id          INTEGER NOT NULL,
    request          INTEGER NOT NULL,
    version          INTEGER NOT NULL,
    planned_through  INTEGER NOT NULL,
    last_due         INTEGER,
    next_due         INTEGER CHECK (next_due > planned_through),
    through          INTEGER,
    PRIMARY KEY (task_id, request),
    CHECK ((request = 0) = (through IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX cursor_next_due ON cursor (next_due) WHERE next_due IS NOT NULL;

-- One row for each due instant of each task, whatever became of it: law 1. The key begins with due_at,
-- so that ticks of one instant lie side by side: half the time and a third of the journal. Where a check
-- says OR and not IN: of a list of more than two SQLite builds a table each time, which costs as much as
-- the write.
CREATE TABLE tick (
    task_id     INTEGER NOT NULL,
    due_at      INTEGER NOT NULL,
    request     INTEGER NOT NULL DEFAULT 0,
    version     INTEGER NOT NULL,
    prev_due    INTEGER CHECK (prev_due < due_at),
    next_due    INTEGER CHECK (next_due > due_at),
    through     INTEGER,
    count       INTEGER NOT NULL DEFAULT 1,
    state       TEXT NOT NULL CHECK (
                    state = 'planned' OR state = 'queued' OR state = 'running' OR state = 'succeeded'
                    OR state = 'failed' OR state = 'cancelled' OR state = 'skipped'),
    reason      TEXT CHECK (CASE state
                    WHEN 'failed' THEN reason IN ('error', 'timeout', 'lost')
                    WHEN 'skipped' THEN
                        reason IN ('overlap', 'superseded', 'missed', 'expired', 'paused', 'shadow')
                    ELSE reason IS NULL END),
    queue       TEXT NOT NULL,
    priority    INTEGER NOT NULL,
    ready_at    INTEGER,
    attempt     INTEGER NOT NULL DEFAULT 1,
    reruns      INTEGER NOT NULL DEFAULT 0,
    holder      INTEGER,
    sent_at     INTEGER,
    started_at  INTEGER,
    ended_at    INTEGER,
    summary     TEXT,
    proof       INTEGER,
    PRIMARY KEY (due_at, task_id, request),
    CHECK (reason IS NOT NULL OR state NOT IN ('failed', 'skipped')),
    CHECK ((state = 'planned') = (ready_at IS NOT NULL)),
    CHECK ((state IN ('queued', 'running')) = (holder IS NOT NULL)),
    CHECK ((state = 'succeeded' OR state = 'failed' OR state = 'cancelled' OR state = 'skipped')
           = (ended_at IS NOT NULL)),
    CHECK ((proof IS NULL) = (ended_at IS NULL)),
    CHECK ((through IS NULL) = (count = 1)),
    CHECK (through IS NULL OR (state = 'skipped' AND through > due_at)),
    CHECK (reruns >= 0 AND reruns < attempt)
) STRICT, WITHOUT ROWID;

CREATE INDEX tick_ready ON tick (queue, priority, ready_at) WHERE ready_at IS NOT NULL;
CREATE INDEX tick_unstarted ON tick (task_id, request, ready_at) WHERE ready_at IS NOT NULL;
CREATE INDEX tick_task ON tick (task_id, due_at);

-- Law 2: the table of transitions. everytick/tick.py draws it; a test holds the two together.
-- Law 4: the fencing token never falls, and what has run is planned again only under a higher one.
-- Law 1: a key never changes.
CREATE TRIGGER tick_moves BEFORE UPDATE ON tick
WHEN NOT CASE old.state
    WHEN 'planned' THEN new.state NOT IN ('succeeded', 'failed')
    WHEN 'queued' THEN new.state NOT IN ('succeeded', 'failed')
    WHEN 'running' THEN new.state IN ('succeeded', 'failed') OR new.state = 'cancelled'
                        OR (new.state = 'planned' AND new.attempt > old.attempt)
    ELSE 0 END
    OR new.attempt < old.attempt
    OR new.due_at <> old.due_at OR new.task_id <> old.task_id OR new.request <> old.request
BEGIN
    SELECT RAISE(ABORT, 'a tick made a move that its table of transitions does not have');
END;

-- The right to run: one row for each active tick (lane 0 and up) and each one that waits (below 0).
CREATE TABLE slot (
    task_id           INTEGER NOT NULL,
    lane              INTEGER NOT NULL,
    due_at            INTEGER NOT NULL,
    request           INTEGER NOT NULL,
    attempt           INTEGER NOT NULL,
    holder            INTEGER,
    cancel_requested  INTEGER NOT NULL DEFAULT 0 CHECK (cancel_requested IN (0, 1)),
    PRIMARY KEY (task_id, lane),
    UNIQUE (task_id, due_at, request),
    CHECK (lane >= 0 OR holder IS NULL)
) STRICT, WITHOUT ROWID;

CREATE INDEX slot_holder ON slot (holder) WHERE holder IS NOT NULL;

-- Attempts that did not end their tick, and late results that were refused.
CREATE TABLE attempt (
    task_id     INTEGER NOT NULL,
    due_at      INTEGER NOT NULL,
    request     INTEGER NOT NULL,
    attempt     INTEGER NOT NULL,
    holder      INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    ended_at    INTEGER NOT NULL,
    outcome     TEXT NOT NULL CHECK (outcome IN ('succeeded', 'error', 'timeout', 'cancelled', 'lost')),
    refused_at  INTEGER,
    PRIMARY KEY (task_id, due_at, request, attempt, holder, outcome)
) STRICT, WITHOUT ROWID;

-- What an attempt said, where it said anything.
CREATE TABLE output (
    task_id  INTEGER NOT NULL,
    due_at   INTEGER NOT NULL,
    request  INTEGER NOT NULL,
    attempt  INTEGER NOT NULL,
    error    TEXT,
    output   TEXT NOT NULL,
    PRIMARY KEY (task_id, due_at, request, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE process (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    kind        TEXT NOT NULL,
    host        TEXT NOT NULL,
    pid         INTEGER NOT NULL,
    boot        TEXT NOT NULL,
    release     TEXT NOT NULL,
    started_at  INTEGER NOT NULL,
    beat        INTEGER NOT NULL,
    skew        INTEGER NOT NULL,
    status      TEXT NOT NULL CHECK (status IN ('alive', 'gone', 'dead'))
) STRICT;

CREATE INDEX process_alive ON process (id) WHERE status = 'alive';

-- What pruning left of a span: it was audited first.
CREATE TABLE seal (
    task_id  INTEGER NOT NULL,
    through  INTEGER NOT NULL,
    counts   TEXT NOT NULL,
    digest   TEXT NOT NULL,
    PRIMARY KEY (task_id, through)
) STRICT, WITHOUT ROWID;

-- For people: the ticks with names and readable times.
CREATE VIEW ticks AS
SELECT task.name AS task,
       strftime('%Y-%m-%dT%H:%M:%fZ', tick.due_at / 1e6, 'unixepoch') AS due_at,
       tick.request, tick.state, tick.reason, tick.attempt, tick.count,
       strftime('%Y-%m-%dT%H:%M:%fZ', tick.started_at / 1e6, 'unixepoch') AS started_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', tick.ended_at / 1e6, 'unixepoch') AS ended_at,
       tick.summary
FROM tick JOIN task ON task.id = tick.task_id;

-- 'etti' marks the file as a ledger of Everytick.
PRAGMA application_id = 1702130793;
PRAGMA user_version = 1;
