"""Where the catalog is kept."""

from eckit.catalog.store.tables import (
    category as category,
    price as price,
    price_list as price_list,
    product as product,
    product_category as product_category,
    variant as variant,
)
