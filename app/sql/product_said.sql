-- One row per day and horizon: what was said of the product then, and what came.
select made_on, horizon_months, survival, low, high, method_version,
    case
        when spell.ended and spell.exited_on <= made_on + to_months(horizon_months) then 'ended'
        when made_on + to_months(horizon_months) <= (select max(as_of) from run) then 'alive'
        else 'open'
    end as what_came
from forecast
left join spell using (product_id)
where product_id = $product_id
order by made_on desc, horizon_months;
