-- One row per document whose tags or kind an analyst ruled on, as a labelled document: what the tags are now, and who said so when.
with ruled as (
    select split_part(key, ':', 1) as document_id, arg_max(ruled_by, ruled_at) as labeller, max(ruled_at) as ruled_at
    from ruling where relation = 'tag' and is_in_force group by 1
)
select document_id as id, title, text, url, lang, published_at::date as published, first_seen_at::date as first_seen, source_id as source,
    document_kind.event_kind, document_kind.provider, document_kind.magnitude,
    coalesce((select list(capability order by capability) from tag where tag.document_id = ruled.document_id), []) as capabilities,
    labeller, ruled_at, story_id
from ruled join document using (document_id) join document_kind using (document_id)
order by id
