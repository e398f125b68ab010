create or replace view pub.jump_capability as
select jump_id, capability, share
from main.jump_capability;
comment on view pub.jump_capability is 'One row per jump and capability.';
comment on column pub.jump_capability.jump_id is 'Jump';
comment on column pub.jump_capability.capability is 'Capability label';
comment on column pub.jump_capability.share is 'Probability that the jump carries it; 1 when checked';
