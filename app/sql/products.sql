-- One row per product that passes the filters, those overtaken soonest first; one page of them, with the whole count in n_found.
with jobs as (
    select product_id, list(capability order by share desc, capability) filter (role = 'sells') as sells,
        list(capability order by share desc, capability) filter (role = 'depends_on') as depends_on
    from product_job
    group by all
), hit as (
    select distinct product_id
    from exposure
    join jump using (jump_id)
    where len($providers::varchar[]) > 0 and list_contains($providers::varchar[], jump.provider)
), found as (
    select
        product_id, name, vendor, category, product.segment, wrapper_tier, coupling, sells, depends_on, product.outcome, launched_on,
        launched_precision, ended_on, lifeline.as_of, lifeline_class, p_overtaken_3, p_overtaken_6, p_overtaken_12,
        p_overtaken_12_low, p_overtaken_12_high, p_silent_6_low, p_silent_6_high,
        coalesce(lifeline.overtaken_on, spell.overtaken_on) as overtaken_on, s3, s3_low, s3_high, s6, s6_low, s6_high, s12, s12_low,
        s12_high, silent_since, p_silent_3, p_silent_6, p_silent_12, lost_months, n_at_risk, evidence, reason, homepage, product.source_url, is_private
    from product
    left join jobs using (product_id)
    left join lifeline using (product_id)
    left join spell using (product_id)
    where (len($segments::varchar[]) = 0 or list_contains($segments::varchar[], product.segment))
      and (len($tiers::varchar[]) = 0 or list_contains($tiers::varchar[], wrapper_tier::varchar))
      and (len($categories::varchar[]) = 0 or list_contains($categories::varchar[], category))
      and (len($capabilities::varchar[]) = 0 or list_has_any(sells, $capabilities::varchar[]) or list_has_any(depends_on, $capabilities::varchar[]))
      and (len($providers::varchar[]) = 0 or product_id in (select product_id from hit))
      and (len($classes::varchar[]) = 0 or list_contains($classes::varchar[], coalesce(lifeline_class, '')))
      and (len($ids::varchar[]) = 0 or list_contains($ids::varchar[], product_id))
      and ($q = '' or contains(lower(concat_ws(' ', name, vendor, category, product_id)), lower($q)))
      and case $fate
          when 'alive' then lifeline.product_id is not null
          when 'overtaken' then lifeline.product_id is not null and lifeline.overtaken_on is not null
          when 'silent' then lifeline.silent_since is not null
          when 'ended' then product.outcome in ('shut_down', 'acquired', 'pivoted') and lifeline.product_id is null
          else true
      end
), page as (
    select *, count(*) over () as n_found
    from found
    order by
        case $order_by when 'name' then null when 'survival' then s12 when 'silent' then -p_silent_6 when 'lost' then -lost_months
            when 'launched' then -epoch(launched_on) when 'ended' then -epoch(ended_on) else -p_overtaken_12 end nulls last,
        lower(name), product_id
    limit $n_rows offset $n_skipped
)
select page.*, curve.survival_curve, signs.signs_of_life
from page
left join (
    select product_id, list(round(survival, 3) order by months) as survival_curve
    from lifeline_curve
    where product_id in (select product_id from page)
    group by all
) as curve using (product_id)
left join (
    select known.product_id, list(least(coalesce(n_documents + n_releases + n_commits + n_mentions, 0), 60) order by months.month) as signs_of_life
    from (select distinct product_id from activity where product_id in (select product_id from page)) as known
    cross join (select unnest(generate_series((select max(month) from activity) - interval 23 month, (select max(month) from activity), interval 1 month))::date as month) as months
    left join activity on activity.product_id = known.product_id and activity.month = months.month
    group by all
) as signs using (product_id)
order by
    case $order_by when 'name' then null when 'survival' then s12 when 'silent' then -p_silent_6 when 'lost' then -lost_months
        when 'launched' then -epoch(launched_on) when 'ended' then -epoch(ended_on) else -p_overtaken_12 end nulls last,
    lower(name), product_id;
