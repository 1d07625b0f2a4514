"""What can be bought: which products there are and are published, where they stand in the category tree,

and which prices they have on which list, from which quantity and when. Files of products come in and go out here.
Not decided here: which of the prices a buyer gets (pricing), and how many there are (stock).
"""

from eckit.catalog.errors import (
    CategoryCodeTakenError as CategoryCodeTakenError,
    CategoryCycleError as CategoryCycleError,
    CurrencyAmbiguousError as CurrencyAmbiguousError,
    CurrencyMissingError as CurrencyMissingError,
    FileTooLargeError as FileTooLargeError,
    HandleTakenError as HandleTakenError,
    ImportRefusedError as ImportRefusedError,
    NotPublishableError as NotPublishableError,
    PriceListAmbiguousError as PriceListAmbiguousError,
    PriceListCodeTakenError as PriceListCodeTakenError,
    PriceListInUseError as PriceListInUseError,
    PriceListMissingError as PriceListMissingError,
    ProductChangedError as ProductChangedError,
    SkuTakenError as SkuTakenError,
    UnknownLayoutError as UnknownLayoutError,
    UnreadableFileError as UnreadableFileError,
    WrongListCurrencyError as WrongListCurrencyError,
)
from eckit.catalog.model import (
    CatalogImported as CatalogImported,
    Category as Category,
    Importer as Importer,
    ImportReport as ImportReport,
    ImportRow as ImportRow,
    Listed as Listed,
    Measures as Measures,
    Offer as Offer,
    Page as Page,
    Price as Price,
    PriceChanged as PriceChanged,
    PriceList as PriceList,
    Product as Product,
    ProductPublished as ProductPublished,
    ProductState as ProductState,
    RowProblem as RowProblem,
    SaleUnit as SaleUnit,
    Search as Search,
    Supply as Supply,
    Variant as Variant,
)
