create or replace view pub.run as
select run_id, as_of, started_at, finished_at, status, tagger, catalogue_hash, method_version, counts
from main.run;
comment on view pub.run is 'One row per run of the pipeline.';
comment on column pub.run.run_id is 'Key';
comment on column pub.run.as_of is 'Day it stood on';
comment on column pub.run.started_at is 'Start (UTC)';
comment on column pub.run.finished_at is 'End (UTC)';
comment on column pub.run.status is 'ok, partial or failed';
comment on column pub.run.tagger is 'Tagger in force';
comment on column pub.run.catalogue_hash is 'Hash of the catalogue read';
comment on column pub.run.method_version is 'Version of the method';
comment on column pub.run.counts is 'What each stage did, as JSON';
