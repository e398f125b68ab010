"""The outside world and time: fetching, parsing, and the Prefect flows around the stages."""
