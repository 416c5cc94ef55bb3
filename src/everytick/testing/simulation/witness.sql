-- What a simulation hears of each row that is written; the triggers belong to one connection alone.

CREATE TEMP TRIGGER witness_tick_insert AFTER INSERT ON main.tick BEGIN
    SELECT witness('tick', NEW.task_id, NEW.due_at, NEW.request, NULL, NULL, NULL,
                   NEW.state, NEW.reason, NEW.attempt, NEW.reruns, NEW.holder, NEW.version, NEW.prev_due,
                   NEW.next_due, NEW.through, NEW.count, NEW.ready_at, NEW.ended_at);
END;

CREATE TEMP TRIGGER witness_tick_update AFTER UPDATE ON main.tick BEGIN
    SELECT witness('tick', NEW.task_id, NEW.due_at, NEW.request, OLD.state, OLD.attempt, OLD.holder,
                   NEW.state, NEW.reason, NEW.attempt, NEW.reruns, NEW.holder, NEW.version, NEW.prev_due,
                   NEW.next_due, NEW.through, NEW.count, NEW.ready_at, NEW.ended_at);
END;

CREATE TEMP TRIGGER witness_tick_delete AFTER DELETE ON main.tick BEGIN
    SELECT witness('tick gone', OLD.task_id, OLD.due_at, OLD.request);
END;

CREATE TEMP TRIGGER witness_slot_insert AFTER INSERT ON main.slot BEGIN
    SELECT witness('slot', NEW.task_id, NEW.due_at, NEW.request, NEW.lane, NEW.cancel_requested);
END;

CREATE TEMP TRIGGER witness_slot_update AFTER UPDATE ON main.slot BEGIN
    SELECT witness('slot', NEW.task_id, NEW.due_at, NEW.request, NEW.lane, NEW.cancel_requested);
END;

CREATE TEMP TRIGGER witness_slot_delete AFTER DELETE ON main.slot BEGIN
    SELECT witness('slot gone', OLD.task_id, OLD.due_at, OLD.request);
END;

CREATE TEMP TRIGGER witness_task AFTER INSERT ON main.task BEGIN
    SELECT witness('task', NEW.id, NEW.name);
END;

CREATE TEMP TRIGGER witness_version AFTER INSERT ON main.task_version BEGIN
    SELECT witness('version', NEW.task_id, NEW.version, NEW.since, NEW.status, NEW.paused_until, NEW.anchor,
                   NEW.definition);
END;

CREATE TEMP TRIGGER witness_cursor_insert AFTER INSERT ON main.cursor BEGIN
    SELECT witness('cursor', NEW.task_id, NEW.request, NEW.version, NEW.planned_through, NEW.through);
END;

CREATE TEMP TRIGGER witness_cursor_update AFTER UPDATE ON main.cursor BEGIN
    SELECT witness('cursor', NEW.task_id, NEW.request, NEW.version, NEW.planned_through, NEW.through);
END;

CREATE TEMP TRIGGER witness_attempt AFTER INSERT ON main.attempt BEGIN
    SELECT witness('attempt', NEW.task_id, NEW.due_at, NEW.request, NEW.attempt, NEW.holder, NEW.outcome,
                   NEW.refused_at);
END;

CREATE TEMP TRIGGER witness_process_insert AFTER INSERT ON main.process BEGIN
    SELECT witness('process', NEW.id, NEW.status);
END;

CREATE TEMP TRIGGER witness_process_update AFTER UPDATE ON main.process BEGIN
    SELECT witness('process', NEW.id, NEW.status);
END;

CREATE TEMP TRIGGER witness_change AFTER INSERT ON main.change BEGIN
    SELECT witness('change', NEW.id, NEW.act, NEW.at);
END;
