"""One file of SQL per schema version, in order; see `schema`."""
