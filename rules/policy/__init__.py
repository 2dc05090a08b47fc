"""The numbers: profiles in YAML, read into one frozen, typed policy or into every error at once."""
