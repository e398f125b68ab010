-- What every run recomputes whole. Declared here so that views bind before the first run; stages replace the rows.
create table if not exists story (document_id varchar, dated_on date, story_id varchar, leads boolean);

-- Days whose stories are told, each by the hash of what they were told from.
create table if not exists story_day (day date, made_from varchar);

-- What a document reports, and the hash of what it was read from; without a provider it reports nothing.
create table if not exists reading (
    document_id varchar, made_from varchar, url varchar, title varchar, tier varchar, source_id varchar, dated_on date, known_on date,
    happened_on date, is_dated_by_text boolean, provider varchar, keys varchar[][], release varchar, words varchar[], stage varchar,
    reach varchar, magnitude integer, capabilities varchar, confidence double, is_day_known boolean
);

create table if not exists capability_term (
    id varchar, kind varchar, segment varchar, name_en varchar, name_zh varchar, definition varchar, excludes varchar
);

create table if not exists product (
    product_id varchar primary key, name varchar, vendor varchar, homepage varchar, category varchar, segment varchar,
    wrapper_tier integer, coupling integer, launched_on date, launched_precision varchar, outcome varchar, ended_on date,
    ended_precision varchar, ended_known_on date, last_alive_on date, gone_by date, cohort varchar, cohort_seen_on date,
    sample_weight double, ended_because varchar, note varchar, source_url varchar, source_url_launch varchar, verified varchar,
    is_private boolean default false, is_moats_known boolean default true
);

create table if not exists product_job (product_id varchar, capability varchar, role varchar, share double);

-- is_blind: labelled by someone who did not know how the product went
create table if not exists product_moat (product_id varchar, moat varchar, is_blind boolean default false);

-- known_on is the day from which a back-test may use the jump.
create table if not exists jump (
    jump_id varchar primary key, happened_on date, date_precision varchar, known_on date, platform varchar, provider varchar,
    release varchar, stage varchar, reach varchar, magnitude integer, weight double, summary varchar, confidence double,
    origin varchar, source_url varchar, is_confirmed boolean, story_key varchar, note varchar
);

create table if not exists jump_capability (jump_id varchar, capability varchar, share double);

create table if not exists jump_document (jump_id varchar, document_id varchar, is_canonical boolean default false);

create table if not exists proposal (
    proposal_id varchar primary key, kind varchar, subject varchar, fields json, document_ids varchar[], proposed_on date,
    reason varchar, status varchar
);

-- Rulings are read from their files on every run.
create table if not exists ruling (
    ruling_id varchar primary key, ruled_at timestamptz, ruled_by varchar, verdict varchar, relation varchar, key varchar,
    fields json, why varchar, is_in_force boolean
);

create table if not exists exposure (
    product_id varchar, jump_id varchar, capability varchar, role varchar, exposed_on date, weight double, is_decisive boolean
);

create table if not exists spell (
    product_id varchar primary key, entered_on date, exited_on date, ended boolean, outcome varchar, age_months double,
    overtaken_on date, weight double
);

create table if not exists lifeline (
    product_id varchar primary key, as_of date, s3 double, s3_low double, s3_high double, s6 double, s6_low double, s6_high double,
    s12 double, s12_low double, s12_high double, median_months double, safe_until_months integer, lifeline_class varchar,
    overtaken_on date, p_overtaken_3 double, p_overtaken_6 double, p_overtaken_12 double, p_shut_down_12 double,
    p_acquired_12 double, p_pivoted_12 double, silent_since date, p_silent_3 double, p_silent_6 double, p_silent_12 double,
    lost_months double, main_jump_id varchar, n_at_risk integer, n_ended integer, evidence varchar, reason varchar,
    p_overtaken_3_low double, p_overtaken_3_high double, p_overtaken_6_low double, p_overtaken_6_high double,
    p_overtaken_12_low double, p_overtaken_12_high double, p_silent_3_low double, p_silent_3_high double, p_silent_6_low double,
    p_silent_6_high double, p_silent_12_low double, p_silent_12_high double, lost_months_low double, lost_months_high double
);

create table if not exists lifeline_curve (
    product_id varchar, as_of date, months integer, survival double, low double, high double
);

create table if not exists lifeline_factor (
    product_id varchar, as_of date, factor varchar, jump_id varchar, lost_months double, leave_one_out_months double
);

create table if not exists activity (
    product_id varchar, month date, n_documents integer, n_releases integer, n_commits integer, n_mentions integer, state varchar
);

create table if not exists accuracy (
    origin_on date, horizon_months integer, method varchar, n integer, n_ended integer, brier double, brier_life_table double,
    brier_no_exposure double, auc double, slope double, oe double
);

-- One row per product, clock, past day and horizon: what the method would have said then.
create table if not exists hindcast (
    product_id varchar, clock varchar, origin_on date, horizon_months integer, p double, p_low double, p_high double
);

-- One row per statement that holds for the whole run (verdict on jumps, mixture of priors, crude level), as JSON.
create table if not exists finding (key varchar primary key, value json);

-- The fit of the last run, part by part, as JSON: what a what-if stands on.
create table if not exists posterior (part varchar primary key, value json);
