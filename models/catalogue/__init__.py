"""The facts that ship, as CSV, and the door through which any such file enters.

`read_products`, `read_jumps` and `read_sources` validate a whole file before anything is used, and name file, row, column, value
and remedy. `load` lays the files of a home over the shipped ones, by id.
"""

from models.catalogue.files import SHIPPED, read_csv, read_jumps, read_products, read_sources
from models.catalogue.load import Catalogue, load, write_tables

__all__ = ["SHIPPED", "Catalogue", "load", "read_csv", "read_jumps", "read_products", "read_sources", "write_tables"]
