-- One row per statement that holds for the whole run.
select key, value::varchar as value from finding order by key;
