"""Photo intake (written with the inspector's pages)."""
