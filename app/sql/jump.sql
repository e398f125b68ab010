-- One row: one jump.
select jump.*, (select list(capability order by share desc) from jump_capability where jump_id = $jump_id) as capabilities
from jump
where jump_id = $jump_id;
