create or replace view pub.jump as
select jump_id, happened_on, date_precision, known_on, platform, provider, release, stage, reach, magnitude, weight, summary,
    confidence, origin, coalesce(documents.n, 0) as n_documents, is_confirmed, source_url, story_key, note
from main.jump left join (select jump_id, count(*)::integer as n from main.jump_document group by all) as documents using (jump_id);
comment on view pub.jump is 'One row per jump: a dated public event in which a platform makes a capability available, lifts it by a step, or retires it.';
comment on column pub.jump.jump_id is 'Key, stable across runs';
comment on column pub.jump.happened_on is 'Day it took effect';
comment on column pub.jump.date_precision is 'day, month or year';
comment on column pub.jump.known_on is 'Day from which it could be known';
comment on column pub.jump.platform is 'Surface on which it happened';
comment on column pub.jump.provider is 'Who jumps';
comment on column pub.jump.release is 'Model or feature';
comment on column pub.jump.stage is 'announced, preview, ga or retired';
comment on column pub.jump.reach is 'api, consumer, enterprise, suite, device, open_weights, or limited, developers, paid, everyone';
comment on column pub.jump.magnitude is '1 increment, 2 clear step, 3 a step that products are built around or die of';
comment on column pub.jump.weight is 'Stage x reach x magnitude less what earlier stages of the same story gave, 0 to 1';
comment on column pub.jump.summary is 'One sentence in our own words';
comment on column pub.jump.confidence is 'Probability that it is a jump as described; 1 when checked';
comment on column pub.jump.origin is 'catalogue, detected, registry or ruling';
comment on column pub.jump.n_documents is 'Documents that report it';
comment on column pub.jump.is_confirmed is 'Whether a person checked it';
comment on column pub.jump.source_url is 'Evidence that a person can open';
comment on column pub.jump.story_key is 'Stages of one thing share it';
comment on column pub.jump.note is 'Remark of whoever recorded it';
