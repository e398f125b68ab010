-- One row: the capability's definition.
select * from capability where id = $capability;
