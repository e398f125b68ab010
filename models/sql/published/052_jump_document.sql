create or replace view pub.jump_document as
select jump_id, document_id, is_canonical
from main.jump_document;
comment on view pub.jump_document is 'One row per jump and document that reports it.';
comment on column pub.jump_document.jump_id is 'Jump';
comment on column pub.jump_document.document_id is 'Document';
comment on column pub.jump_document.is_canonical is 'Whether it is the best source of the jump';
