create or replace view pub.document_kind as
select document_id, event_kind, score, provider, magnitude, tagger
from main.current_kind;
comment on view pub.document_kind is 'One row per tagged document: the one kind of event that it reports.';
comment on column pub.document_kind.document_id is 'Document';
comment on column pub.document_kind.event_kind is 'Kind of event';
comment on column pub.document_kind.score is 'Probability of the kind';
comment on column pub.document_kind.provider is 'Platform or company it is about';
comment on column pub.document_kind.magnitude is '1 increment, 2 clear step, 3 a step that products are built around or die of';
comment on column pub.document_kind.tagger is 'Tagger and version';
