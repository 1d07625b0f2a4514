"""Settings of the plugin: ``[plugins.tax-table]``."""

from collections.abc import Mapping

import attrs


@attrs.frozen(kw_only=True)
class TaxTableSettings:
    """What may be set.

    :ivar classes: tax class of the shop → the class it is taxed as, for classes that have no rows of their own:
        ``{ food = "reduced" }``.
    """

    classes: Mapping[str, str] = attrs.field(factory=dict, hash=False)
