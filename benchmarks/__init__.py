"""Measurements that can be run again; they need the data folder beside the checkout."""
