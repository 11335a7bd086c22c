-- Dead letters, and what the backend raises itself.

CREATE TABLE dead_letters (
    cluster TEXT NOT NULL,
    topic TEXT NOT NULL,
    part INTEGER NOT NULL,
    place BIGINT NOT NULL,
    machine TEXT NOT NULL,
    seq BIGINT NOT NULL,
    type TEXT NOT NULL,
    reason TEXT NOT NULL,
    origin TEXT NOT NULL,
    arrived_ms BIGINT NOT NULL,
    state TEXT NOT NULL,
    changed_ms BIGINT NOT NULL,
    PRIMARY KEY (cluster, topic, part, place)
);

CREATE INDEX dead_letters_by_state ON dead_letters (state, topic);

-- How far a group that keeps no inbox has seen each topic of a life.
CREATE TABLE marks (
    group_id TEXT NOT NULL,
    machine TEXT NOT NULL,
    bootid TEXT NOT NULL,
    bootcount BIGINT NOT NULL,
    topic TEXT NOT NULL,
    topicseq BIGINT NOT NULL,
    PRIMARY KEY (group_id, machine, bootid, bootcount, topic)
);

-- One row per alarm: from raised to cleared, with who was told and who took it on.
CREATE TABLE alarms (
    id BIGINT PRIMARY KEY,
    machine TEXT NOT NULL,
    kind TEXT NOT NULL,
    item TEXT NOT NULL,
    severity INTEGER NOT NULL,
    said TEXT NOT NULL,
    raised_ms BIGINT NOT NULL,
    cleared_ms BIGINT,
    times BIGINT NOT NULL,
    acked_ms BIGINT,
    acked_by TEXT
);

CREATE INDEX alarms_by_subject ON alarms (machine, kind, item);

CREATE TABLE tellings (
    alarm BIGINT NOT NULL,
    admin TEXT NOT NULL,
    what TEXT NOT NULL,
    told_ms BIGINT NOT NULL,
    attempts INTEGER NOT NULL,
    next_ms BIGINT NOT NULL,
    message BIGINT NOT NULL,
    error TEXT NOT NULL,
    PRIMARY KEY (alarm, admin, what)
);

-- One process at a time does what must not be done twice.
CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until_ms BIGINT NOT NULL
);
