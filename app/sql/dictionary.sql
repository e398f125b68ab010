-- One row per column of a published relation, with the comments that the database itself carries.
select tables.table_name as relation, tables.comment as grain, tables.estimated_size as n_rows, column_index as position, column_name as column,
    data_type as type, columns.comment as meaning
from duckdb_tables() as tables
join duckdb_columns() as columns using (database_name, schema_name, table_name)
where database_name = 'published'
order by relation, position;
