"""Commands that need the outside world; same shape as those of `app`."""
