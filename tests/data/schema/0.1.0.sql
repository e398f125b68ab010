-- What is kept between runs. Everything else is recomputed from it, the catalogue and as_of.
create table if not exists meta (key varchar primary key, value varchar);

create table if not exists source (
    source_id varchar primary key, title varchar, kind varchar, url varchar, site varchar, provider varchar, lang varchar,
    every_hours double, is_active boolean, tier varchar, product_id varchar, is_listed boolean default true,
    health varchar, health_since_at timestamptz, last_fetch_at timestamptz, last_success_at timestamptz, last_new_at timestamptz,
    next_fetch_at timestamptz, etag varchar, last_modified varchar, moved_to varchar, n_failures integer default 0, last_error varchar,
    hold_until_at timestamptz, retired_at timestamptz, newest_at timestamptz,
    body_hash varchar
);

create table if not exists fetch_log (
    source_id varchar, fetched_at timestamptz, outcome varchar, http_status integer, n_bytes bigint, n_entries integer,
    n_new integer, n_changed integer, n_skipped integer, seconds double, error varchar
);

-- The newest version of each document; older texts stand in document_version.
create table if not exists document (
    document_id varchar primary key, source_id varchar, url varchar, title varchar, text varchar, lang varchar,
    published_at timestamptz, first_seen_at timestamptz not null, updated_at timestamptz, n_versions integer default 1,
    content_hash varchar, is_date_suspect boolean default false, facts json, text_source_id varchar
);

create table if not exists document_version (
    document_id varchar, version integer, seen_at timestamptz, title varchar, text varchar, published_at timestamptz,
    content_hash varchar, primary key (document_id, version)
);

-- Every name under which a document was met (canonical URL, guid within a site, content): two names, one document.
create table if not exists document_identity (identity varchar primary key, document_id varchar not null);

-- Every source that listed a document, with the hash of the text that it listed last.
create table if not exists document_source (
    document_id varchar, source_id varchar, first_seen_at timestamptz, content_hash varchar, primary key (document_id, source_id)
);

-- What a model registry said last, by which the next poll finds what changed.
create table if not exists registry_state (
    source_id varchar, model varchar, state json, seen_at timestamptz, primary key (source_id, model)
);

-- Pages that were read in full, or could not be.
create table if not exists fulltext_try (document_id varchar primary key, tried_at timestamptz, error varchar);

-- One row per sign of life that a repository or a package gave: a release or a commit, by its own id.
create table if not exists sign (
    source_id varchar, key varchar, product_id varchar, kind varchar, happened_on date, seen_at timestamptz,
    primary key (source_id, key)
);

-- One row per document, tagger and text read: a new tagger adds rows, the old ones stay.
create table if not exists tagging (
    document_id varchar, tagger varchar, content_hash varchar, tagged_at timestamptz, event_kind varchar, kind_score double,
    provider varchar, magnitude integer, products varchar[], kind_scores json, scores json,
    primary key (document_id, tagger)
);

create table if not exists tagging_label (
    document_id varchar, tagger varchar, capability varchar, score double, evidence varchar,
    primary key (document_id, tagger, capability)
);

-- What a look at a product's homepage, repository or package page found.
create table if not exists probe (
    product_id varchar, probed_at timestamptz, url varchar, evidence varchar, http_status integer, detail varchar
);

-- Counts of signs of life by month, as read from feeds, changelogs, repositories and packages, or imported.
create table if not exists activity_count (
    product_id varchar, month date, kind varchar, n integer, origin varchar, known_at timestamptz,
    primary key (product_id, month, kind, origin)
);

-- What was said, when; never rewritten.
create table if not exists forecast (
    product_id varchar, made_on date, horizon_months integer, survival double, low double, high double, method_version varchar,
    made_at timestamptz, primary key (product_id, made_on, horizon_months, method_version)
);

-- The published facts of the last run, by which the next one finds what changed.
create table if not exists change (
    changed_at timestamptz, relation varchar, key varchar, field varchar, before varchar, after varchar, why varchar
);

create table if not exists run (
    run_id varchar primary key, as_of date, started_at timestamptz, finished_at timestamptz, status varchar, tagger varchar,
    catalogue_hash varchar, method_version varchar, counts json
);

create table if not exists notice (watchlist varchar, milestone varchar, noticed_at timestamptz, primary key (watchlist, milestone));

-- The last back-test made in this home; until there is one, the scores shipped with the program stand in.
create table if not exists walk_forward (
    origin_on date, horizon_months integer, method varchar, n integer, n_ended integer, brier double, brier_life_table double,
    brier_no_exposure double, auc double, slope double, oe double
);

-- What it said of each product, by clock, day and horizon: the chance of the event and its interval.
create table if not exists walk_forward_said (
    product_id varchar, clock varchar, origin_on date, horizon_months integer, p double, p_low double, p_high double
);

create table if not exists walk_forward_finding (key varchar primary key, value json);

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

insert into meta values ('schema_version', '1'), ('schema_digest', 'of that release'), ('tagger', 'tagger 1');
insert into document_source (document_id, source_id, first_seen_at, content_hash) values ('document 1', 'source 1', timestamptz '2026-08-01 06:00:00+00', 'content_hash 1');
insert into document_source (document_id, source_id, first_seen_at, content_hash) values ('document 2', 'source 2', timestamptz '2026-08-02 06:00:00+00', 'content_hash 2');
insert into activity_count (product_id, month, kind, n, origin, known_at) values ('product 1', date '2026-08-01', 'kind 1', 1, 'origin 1', timestamptz '2026-08-01 06:00:00+00');
insert into activity_count (product_id, month, kind, n, origin, known_at) values ('product 2', date '2026-08-02', 'kind 2', 2, 'origin 2', timestamptz '2026-08-02 06:00:00+00');
insert into probe (product_id, probed_at, url, evidence, http_status, detail) values ('product 1', timestamptz '2026-08-01 06:00:00+00', 'url 1', 'evidence 1', 1, 'detail 1');
insert into probe (product_id, probed_at, url, evidence, http_status, detail) values ('product 2', timestamptz '2026-08-02 06:00:00+00', 'url 2', 'evidence 2', 2, 'detail 2');
insert into document_identity (identity, document_id) values ('identity 1', 'document 1');
insert into document_identity (identity, document_id) values ('identity 2', 'document 2');
insert into notice (watchlist, milestone, noticed_at) values ('watchlist 1', 'milestone 1', timestamptz '2026-08-01 06:00:00+00');
insert into notice (watchlist, milestone, noticed_at) values ('watchlist 2', 'milestone 2', timestamptz '2026-08-02 06:00:00+00');
insert into document_version (document_id, version, seen_at, title, text, published_at, content_hash) values ('document 1', 1, timestamptz '2026-08-01 06:00:00+00', 'title 1', 'text 1', timestamptz '2026-08-01 06:00:00+00', 'content_hash 1');
insert into document_version (document_id, version, seen_at, title, text, published_at, content_hash) values ('document 2', 2, timestamptz '2026-08-02 06:00:00+00', 'title 2', 'text 2', timestamptz '2026-08-02 06:00:00+00', 'content_hash 2');
insert into change (changed_at, relation, key, field, before, after, why) values (timestamptz '2026-08-01 06:00:00+00', 'relation 1', 'key 1', 'field 1', 'before 1', 'after 1', 'why 1');
insert into change (changed_at, relation, key, field, before, after, why) values (timestamptz '2026-08-02 06:00:00+00', 'relation 2', 'key 2', 'field 2', 'before 2', 'after 2', 'why 2');
insert into run (run_id, as_of, started_at, finished_at, status, tagger, catalogue_hash, method_version, counts) values ('run 1', date '2026-08-01', timestamptz '2026-08-01 06:00:00+00', timestamptz '2026-08-01 06:00:00+00', 'ok', 'tagger 1', 'catalogue_hash 1', 'method_version 1', '{}');
insert into run (run_id, as_of, started_at, finished_at, status, tagger, catalogue_hash, method_version, counts) values ('run 2', date '2026-08-02', timestamptz '2026-08-02 06:00:00+00', timestamptz '2026-08-02 06:00:00+00', 'ok', 'tagger 2', 'catalogue_hash 2', 'method_version 2', '{}');
insert into registry_state (source_id, model, state, seen_at) values ('source 1', 'model 1', '{}', timestamptz '2026-08-01 06:00:00+00');
insert into registry_state (source_id, model, state, seen_at) values ('source 2', 'model 2', '{}', timestamptz '2026-08-02 06:00:00+00');
insert into sign (source_id, key, product_id, kind, happened_on, seen_at) values ('source 1', 'key 1', 'product 1', 'kind 1', date '2026-08-01', timestamptz '2026-08-01 06:00:00+00');
insert into sign (source_id, key, product_id, kind, happened_on, seen_at) values ('source 2', 'key 2', 'product 2', 'kind 2', date '2026-08-02', timestamptz '2026-08-02 06:00:00+00');
insert into fulltext_try (document_id, tried_at, error) values ('document 1', timestamptz '2026-08-01 06:00:00+00', 'error 1');
insert into fulltext_try (document_id, tried_at, error) values ('document 2', timestamptz '2026-08-02 06:00:00+00', 'error 2');
insert into fetch_log (source_id, fetched_at, outcome, http_status, n_bytes, n_entries, n_new, n_changed, n_skipped, seconds, error) values ('source 1', timestamptz '2026-08-01 06:00:00+00', 'outcome 1', 1, 1, 1, 1, 1, 1, 0.1, 'error 1');
insert into fetch_log (source_id, fetched_at, outcome, http_status, n_bytes, n_entries, n_new, n_changed, n_skipped, seconds, error) values ('source 2', timestamptz '2026-08-02 06:00:00+00', 'outcome 2', 2, 2, 2, 2, 2, 2, 0.2, 'error 2');
insert into forecast (product_id, made_on, horizon_months, survival, low, high, method_version, made_at) values ('product 1', date '2026-08-01', 12, 0.1, 0.1, 0.1, 'method_version 1', timestamptz '2026-08-01 06:00:00+00');
insert into forecast (product_id, made_on, horizon_months, survival, low, high, method_version, made_at) values ('product 2', date '2026-08-02', 12, 0.2, 0.2, 0.2, 'method_version 2', timestamptz '2026-08-02 06:00:00+00');
insert into document (document_id, source_id, url, title, text, lang, published_at, first_seen_at, updated_at, n_versions, content_hash, is_date_suspect, facts, text_source_id) values ('document 1', 'source 1', 'https://example.org/1', 'OpenAI launches image generation in ChatGPT, part 1', 'ChatGPT now generates images from text, today, for all users, part 1.', 'en', timestamptz '2026-08-01 06:00:00+00', timestamptz '2026-08-01 06:00:00+00', timestamptz '2026-08-01 06:00:00+00', 1, 'content_hash 1', false, null, 'text_source 1');
insert into document (document_id, source_id, url, title, text, lang, published_at, first_seen_at, updated_at, n_versions, content_hash, is_date_suspect, facts, text_source_id) values ('document 2', 'source 2', 'https://example.org/2', 'OpenAI launches image generation in ChatGPT, part 2', 'ChatGPT now generates images from text, today, for all users, part 2.', 'en', timestamptz '2026-08-02 06:00:00+00', timestamptz '2026-08-02 06:00:00+00', timestamptz '2026-08-02 06:00:00+00', 2, 'content_hash 2', false, null, 'text_source 2');
insert into source (source_id, title, kind, url, site, provider, lang, every_hours, is_active, tier, product_id, is_listed, health, health_since_at, last_fetch_at, last_success_at, last_new_at, next_fetch_at, etag, last_modified, moved_to, n_failures, last_error, hold_until_at, retired_at, newest_at, body_hash) values ('source 1', 'title 1', 'feed', 'https://example.org/1.xml', 'site 1', 'provider 1', 'lang 1', 0.1, true, 'press', 'product 1', true, 'fine', timestamptz '2026-08-01 06:00:00+00', timestamptz '2026-08-01 06:00:00+00', timestamptz '2026-08-01 06:00:00+00', timestamptz '2026-08-01 06:00:00+00', timestamptz '2026-08-01 06:00:00+00', 'etag 1', 'last_modified 1', 'moved_to 1', 1, 'last_error 1', timestamptz '2026-08-01 06:00:00+00', timestamptz '2026-08-01 06:00:00+00', timestamptz '2026-08-01 06:00:00+00', 'body_hash 1');
insert into source (source_id, title, kind, url, site, provider, lang, every_hours, is_active, tier, product_id, is_listed, health, health_since_at, last_fetch_at, last_success_at, last_new_at, next_fetch_at, etag, last_modified, moved_to, n_failures, last_error, hold_until_at, retired_at, newest_at, body_hash) values ('source 2', 'title 2', 'feed', 'https://example.org/2.xml', 'site 2', 'provider 2', 'lang 2', 0.2, true, 'press', 'product 2', true, 'fine', timestamptz '2026-08-02 06:00:00+00', timestamptz '2026-08-02 06:00:00+00', timestamptz '2026-08-02 06:00:00+00', timestamptz '2026-08-02 06:00:00+00', timestamptz '2026-08-02 06:00:00+00', 'etag 2', 'last_modified 2', 'moved_to 2', 2, 'last_error 2', timestamptz '2026-08-02 06:00:00+00', timestamptz '2026-08-02 06:00:00+00', timestamptz '2026-08-02 06:00:00+00', 'body_hash 2');
insert into walk_forward_said (product_id, clock, origin_on, horizon_months, p, p_low, p_high) values ('product 1', 'ended', date '2026-08-01', 12, 0.1, 0.1, 0.1);
insert into walk_forward_said (product_id, clock, origin_on, horizon_months, p, p_low, p_high) values ('product 2', 'ended', date '2026-08-02', 12, 0.2, 0.2, 0.2);
insert into walk_forward_finding (key, value) values ('key 1', '{}');
insert into walk_forward_finding (key, value) values ('key 2', '{}');
insert into tagging (document_id, tagger, content_hash, tagged_at, event_kind, kind_score, provider, magnitude, products, kind_scores, scores) values ('document 1', 'tagger 1', 'content_hash 1', timestamptz '2026-08-01 06:00:00+00', 'capability_jump', 0.1, 'provider 1', 1, ['product 1'], '{"capability_jump": 0.9}', '{"image_generation": 0.9}');
insert into tagging (document_id, tagger, content_hash, tagged_at, event_kind, kind_score, provider, magnitude, products, kind_scores, scores) values ('document 2', 'tagger 2', 'content_hash 2', timestamptz '2026-08-02 06:00:00+00', 'capability_jump', 0.2, 'provider 2', 2, ['product 2'], '{"capability_jump": 0.9}', '{"image_generation": 0.9}');
insert into walk_forward (origin_on, horizon_months, method, n, n_ended, brier, brier_life_table, brier_no_exposure, auc, slope, oe) values (date '2026-08-01', 12, 'method 1', 1, 1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1);
insert into walk_forward (origin_on, horizon_months, method, n, n_ended, brier, brier_life_table, brier_no_exposure, auc, slope, oe) values (date '2026-08-02', 12, 'method 2', 2, 2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2);
insert into tagging_label (document_id, tagger, capability, score, evidence) values ('document 1', 'tagger 1', 'image_generation', 0.1, 'evidence 1');
insert into tagging_label (document_id, tagger, capability, score, evidence) values ('document 2', 'tagger 2', 'image_generation', 0.2, 'evidence 2');
