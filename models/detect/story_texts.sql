-- Grain: document known on $as_of, with what its story is told by.
select document_id, coalesce(url, '') as url, coalesce(title, '') as title, coalesce(text[:600], '') as text, coalesce(lang, '') as lang,
    least(coalesce(published_at, first_seen_at), first_seen_at)::date as dated_on
from document
where first_seen_at < $as_of::date + interval 1 day and facts is null
order by document_id
