create or replace view pub.document as
select document_id, source_id, url, title, text, lang, published_at, first_seen_at, updated_at, n_versions, story_id,
    is_date_suspect
from main.document left join main.story using (document_id);
comment on view pub.document is 'One row per document, in its newest version.';
comment on column pub.document.document_id is 'Key';
comment on column pub.document.source_id is 'First source that listed it';
comment on column pub.document.url is 'Address of the document';
comment on column pub.document.title is 'Title, plain text';
comment on column pub.document.text is 'Text as fetched, plain';
comment on column pub.document.lang is 'en, zh or another ISO 639-1 code';
comment on column pub.document.published_at is 'When it says it was published (UTC); null when unknown';
comment on column pub.document.first_seen_at is 'When we first saw it (UTC)';
comment on column pub.document.updated_at is 'When its text last changed (UTC); null when never';
comment on column pub.document.n_versions is 'Versions kept';
comment on column pub.document.story_id is 'Documents that tell one story share it';
comment on column pub.document.is_date_suspect is 'True when its own date lies after the day we first saw it';
