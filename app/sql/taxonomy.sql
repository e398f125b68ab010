-- One row per label of any kind.
select kind, id, segment, name_en, name_zh, definition, excludes from taxonomy_term order by kind, segment nulls last, id;
