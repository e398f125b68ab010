-- Grain: document known on $as_of, with what its story is told by; a body that stands under three titles and more tells none.
with read as (
    select document_id, coalesce(url, '') as url, coalesce(title, '') as title, coalesce(text[:600], '') as text,
        least(coalesce(published_at, first_seen_at), first_seen_at)::date as dated_on
    from document
    where first_seen_at < $as_of::date + interval 1 day and facts is null
),
repeated as (
    select text from read where text <> '' and text <> title and length(text) < 400 group by text having count(distinct title) >= 3
)
select document_id, url, title, case when text in (from repeated) then '' else text end as text, dated_on
from read
