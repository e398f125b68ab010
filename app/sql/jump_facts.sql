-- One row per jump: what a page says of it beside an exposure.
select jump_id, happened_on, provider, platform, release, stage, summary, n_documents, source_url from jump;
