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
