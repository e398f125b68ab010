-- One row per document that reports the jump, the best evidence first, with the sentence that carried its tag.
select
    document.document_id, coalesce(published_at, first_seen_at) as published_at, source.title as source, source.tier,
    document.title, document.url, document.lang, document.n_versions, kind.event_kind, kind.score as kind_score,
    list(tag.capability order by tag.score desc) filter (tag.capability is not null) as capabilities,
    list(round(tag.score, 2) order by tag.score desc) filter (tag.capability is not null) as scores,
    arg_max(tag.evidence, tag.score) as evidence
from jump_document
join document using (document_id)
left join source using (source_id)
left join document_kind as kind using (document_id)
left join tag using (document_id)
where jump_id = $jump_id
group by all
order by max(source.tier = 'official') desc, max(coalesce(published_at, first_seen_at));
