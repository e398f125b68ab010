"""From documents and tags to jumps: one event told by many documents is one jump, joined with what is known already.

documents + tags -> reports -> events -> (catalogue, registry, rulings) -> jump, jump_capability, jump_document, proposal
"""
