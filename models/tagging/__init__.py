"""How documents get their tags: names, n-grams, an encoder, and the stack that weighs them."""
