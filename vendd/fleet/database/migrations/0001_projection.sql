-- What the inventory consumer keeps. All times are ms since 1970, all money minor units.

CREATE TABLE offsets (
    group_id TEXT NOT NULL,
    cluster TEXT NOT NULL,
    topic TEXT NOT NULL,
    part INTEGER NOT NULL,
    next_offset BIGINT NOT NULL,
    caught_up_ms BIGINT NOT NULL,
    PRIMARY KEY (group_id, cluster, topic, part)
);

CREATE TABLE machines (
    machine TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    first_ms BIGINT NOT NULL,
    last_ms BIGINT NOT NULL,
    duplicates BIGINT NOT NULL,
    conflicts BIGINT NOT NULL
);

CREATE TABLE lives (
    machine TEXT NOT NULL,
    life INTEGER NOT NULL,
    bootid TEXT NOT NULL,
    bootcount BIGINT NOT NULL,
    epoch INTEGER NOT NULL,
    first_ms BIGINT NOT NULL,
    last_ms BIGINT NOT NULL,
    low BIGINT NOT NULL,
    high BIGINT NOT NULL,
    PRIMARY KEY (machine, life),
    UNIQUE (machine, bootid, bootcount)
);

-- Numbers whose events are projected, as ranges.
CREATE TABLE spans (
    machine TEXT NOT NULL,
    life INTEGER NOT NULL,
    first_seq BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    PRIMARY KEY (machine, life, first_seq)
);

-- Numbers that need no event: thinned, or put aside as dead letters.
CREATE TABLE accounted (
    machine TEXT NOT NULL,
    life INTEGER NOT NULL,
    first_seq BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    how TEXT NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (machine, life, first_seq, last_seq, how)
);

-- Every event once. Old rows may go: the ranges still know their numbers.
CREATE TABLE inbox (
    machine TEXT NOT NULL,
    life INTEGER NOT NULL,
    seq BIGINT NOT NULL,
    type TEXT NOT NULL,
    fingerprint BIGINT NOT NULL,
    arrived_ms BIGINT NOT NULL,
    PRIMARY KEY (machine, life, seq)
);

CREATE TABLE totals (
    machine TEXT NOT NULL,
    life INTEGER NOT NULL,
    sold BIGINT NOT NULL,
    value BIGINT NOT NULL,
    first_seq BIGINT NOT NULL,
    opening_count BIGINT NOT NULL,
    opening_value BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    reported_count BIGINT NOT NULL,
    reported_value BIGINT NOT NULL,
    PRIMARY KEY (machine, life)
);

CREATE TABLE sales (
    machine TEXT NOT NULL,
    life INTEGER NOT NULL,
    seq BIGINT NOT NULL,
    sale_id TEXT NOT NULL,
    sale_no BIGINT NOT NULL,
    closed_ms BIGINT NOT NULL,
    channel TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT,
    slot TEXT NOT NULL,
    product_id TEXT NOT NULL,
    quantity BIGINT NOT NULL,
    price_charged BIGINT NOT NULL,
    currency TEXT NOT NULL,
    tenders TEXT NOT NULL,
    PRIMARY KEY (machine, life, seq)
);

CREATE TABLE slot_levels (
    machine TEXT NOT NULL,
    life INTEGER NOT NULL,
    slot TEXT NOT NULL,
    first_seq BIGINT NOT NULL,
    opening BIGINT NOT NULL,
    moved BIGINT NOT NULL,
    moves BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    level BIGINT NOT NULL,
    level_ms BIGINT NOT NULL,
    PRIMARY KEY (machine, life, slot)
);

CREATE TABLE slot_terms (
    machine TEXT NOT NULL,
    life INTEGER NOT NULL,
    slot TEXT NOT NULL,
    last_seq BIGINT NOT NULL,
    product_id TEXT NOT NULL,
    capacity BIGINT NOT NULL,
    par BIGINT NOT NULL,
    threshold BIGINT NOT NULL,
    PRIMARY KEY (machine, life, slot)
);

CREATE TABLE cash_flows (
    machine TEXT NOT NULL,
    life INTEGER NOT NULL,
    flow TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL,
    times BIGINT NOT NULL,
    PRIMARY KEY (machine, life, flow, currency)
);

CREATE TABLE latest (
    machine TEXT NOT NULL,
    life INTEGER NOT NULL,
    subject TEXT NOT NULL,
    item TEXT NOT NULL,
    last_seq BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (machine, life, subject, item)
);

CREATE TABLE matters (
    machine TEXT NOT NULL,
    life INTEGER NOT NULL,
    seq BIGINT NOT NULL,
    kind TEXT NOT NULL,
    ref TEXT NOT NULL,
    sale_id TEXT,
    opened_ms BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (machine, life, seq)
);

CREATE TABLE closings (
    machine TEXT NOT NULL,
    life INTEGER NOT NULL,
    seq BIGINT NOT NULL,
    ref TEXT NOT NULL,
    closed_ms BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    how TEXT NOT NULL,
    PRIMARY KEY (machine, life, seq)
);

CREATE TABLE last_sales (
    machine TEXT NOT NULL,
    tender TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (machine, tender)
);

CREATE TABLE slot_outcomes (
    machine TEXT NOT NULL,
    slot TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    times BIGINT NOT NULL,
    PRIMARY KEY (machine, slot, outcome, reason)
);

-- What newer machines say that this version does not know.
CREATE TABLE unknowns (
    machine TEXT NOT NULL,
    field TEXT NOT NULL,
    member TEXT NOT NULL,
    times BIGINT NOT NULL,
    PRIMARY KEY (machine, field, member)
);
