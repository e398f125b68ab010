-- One row per figure about how well detection works.
select * from metric where value is not null order by 1;
