"""Blood counts on treatment: holds, watching, resuming, support."""
