"""One module a page: `show()` chooses, gets and shows, top to bottom."""
