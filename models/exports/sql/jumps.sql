-- One row per jump, in the columns of jumps.csv.
with labels as (
    select jump_id, string_agg(capability, ';' order by share desc, capability) as capabilities from jump_capability group by jump_id
)
select jump_id, happened_on as date, date_precision, provider, platform, release as model_or_feature, capabilities, stage, reach,
    magnitude, summary, source_url, case when is_confirmed then 'page' end as verified, note, known_on, origin, confidence, weight,
    n_documents
from jump left join labels using (jump_id)
where $include_private is not null
order by happened_on, jump_id
