-- One row: what the published file holds and until when.
select
    coalesce((select max(as_of) from lifeline), (select max(as_of) from run)) as as_of,
    (select max(finished_at) from run) as finished_at,
    (select status from run order by started_at desc limit 1) as run_status,
    (select tagger from run order by started_at desc limit 1) as tagger,
    (select method_version from run order by started_at desc limit 1) as method_version,
    (select count(*) from document) as n_documents,
    (select max(first_seen_at) from document) as newest_document_at,
    (select count(*) from jump) as n_jumps,
    (select count(*) from product) as n_products,
    (select count(*) from lifeline) as n_alive,
    (select count(*) from spell where ended) as n_ended,
    (select count(*) from lifeline where overtaken_on is not null) as n_overtaken,
    (select count(*) from lifeline where silent_since is not null) as n_silent,
    (select count(*) from source where is_active) as n_sources,
    (select count(*) from source where is_active and health = 'fine') as n_sources_fine,
    (select count(*) from source where is_active and health is not null) as n_sources_polled,
    (select count(*) from proposal where status = 'open') as n_proposals;
