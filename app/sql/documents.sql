-- One row per document asked for.
select document_id, coalesce(published_at, first_seen_at) as published_at, source.title as source, source.tier, document.title, document.url,
    left(document.text, 1500) as text, kind.event_kind, kind.score as kind_score
from document
left join source using (source_id)
left join document_kind as kind using (document_id)
where list_contains($ids::varchar[], document_id)
order by published_at;
