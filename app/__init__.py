"""What people touch: pages, charts, the SQL sandbox and the command line."""
