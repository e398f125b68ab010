-- One row per month of the last twelve: jumps that became known.
with months as (
    select unnest(generate_series(date_trunc('month', $as_of::date) - interval 11 month, date_trunc('month', $as_of::date), interval 1 month)) as first_day
)
select strftime(first_day, '%Y-%m') as month, count(jump_id) as n
from months left join jump on date_trunc('month', coalesce(known_on, happened_on)) = first_day
group by first_day order by first_day
