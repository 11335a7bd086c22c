-- What the rules look at often, without reading everything that ever was.

CREATE TABLE beats (
    machine TEXT NOT NULL,
    life INTEGER NOT NULL,
    last_seq BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    next_s BIGINT NOT NULL,
    PRIMARY KEY (machine, life)
);

CREATE INDEX closings_by_ref ON closings (machine, ref);
CREATE INDEX inbox_by_age ON inbox (arrived_ms);
CREATE INDEX alarms_by_end ON alarms (cleared_ms);
CREATE INDEX sales_by_time ON sales (closed_ms);
