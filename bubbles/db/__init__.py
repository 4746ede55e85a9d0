"""SQL, and nothing else holds SQL: one file a noun, search, jobs, the embedded server, migrations."""
