"""What leaves the tracker as files: CSV that no spreadsheet runs, Parquet, JSON, the Atom feeds and the weekly brief."""
