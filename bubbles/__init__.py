"""Voice, tied to a place, that can be found and trusted."""
