-- Each process asks at each beat for changes of a few acts, such as alarms; there may be very many of others.
CREATE INDEX change_by_act ON change (act, id);
