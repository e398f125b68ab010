-- One row per state of health, with the number of active sources in it.
select coalesce(health, 'never') as health, count(*) as n from source where is_active group by all order by n desc;
