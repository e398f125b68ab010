-- One row per day and horizon: how many forecasts were made, how many are due, how many ends were expected and came.
select
    made_on, horizon_months, method_version, count(*) as n,
    made_on + to_months(horizon_months) <= (select max(as_of) from run) as is_due,
    sum(1 - survival) as n_expected,
    count(*) filter (spell.ended and spell.exited_on > made_on and spell.exited_on <= made_on + to_months(horizon_months)) as n_ended
from forecast
left join spell using (product_id)
group by all
order by made_on desc, horizon_months
limit 300;
