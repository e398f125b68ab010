-- One row per origin, horizon and method.
select * from accuracy order by method, horizon_months, origin_on;
