-- One row per provider that has a jump, the busiest first.
select provider, count(*) as n from jump where provider <> '' group by all order by n desc, provider;
