"""Decisions about the catalog: facts and files in, decisions out."""

from eckit.catalog.rules.import_rows import nothing_to_import as nothing_to_import
from eckit.catalog.rules.reading import (
    read_categories as read_categories,
    read_csv as read_csv,
    read_inventory as read_inventory,
    with_inventory as with_inventory,
)
