create or replace view pub.product_moat as
select product_id, moat, coalesce(is_blind, false) as is_blind
from main.product_moat;
comment on view pub.product_moat is 'One row per product and moat. Those of the catalogue were labelled knowing the fate: shown, not used in the fit.';
comment on column pub.product_moat.product_id is 'Product';
comment on column pub.product_moat.moat is 'What is said to protect it';
comment on column pub.product_moat.is_blind is 'Whether it was labelled without knowing how the product went; only such labels may enter a fit';
