-- One row per run, newest first.
select run_id, as_of, started_at, finished_at, status, tagger, catalogue_hash, method_version, counts::varchar as counts
from run order by started_at desc limit 50;
