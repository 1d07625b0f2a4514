"""What a shop says about its account at the sandbox provider, in ``[plugins.sandbox]``."""

import datetime as dt

import attrs

from eckit import Secret


@attrs.frozen(kw_only=True)
class SandboxSettings:
    """An account at a sandbox provider. ``SandboxProcess.settings()`` gives these values for a running one.

    :ivar base_url: where the provider listens, ``http://127.0.0.1:<port>``; ``[http] allow`` of the shop must have host
        and port. Without it the plugin offers no gateway.
    :ivar notify_secret: what notices are signed with. :ivar retired_secrets: older ones that are still accepted.
    :ivar mode: ``test`` or ``live``, as the provider was started; notices of the other mode are not believed.
    :ivar tolerance: how far a notice's time may be from the shop's clock.
    :ivar timeout: hard limit of one request to the provider.
    :ivar not_found_after: age from which "no such payment" is believed: a request may be on its way until its timeout.
    """

    base_url: str = ""
    api_key: Secret | None = None
    notify_secret: Secret | None = None
    retired_secrets: tuple[Secret, ...] = ()
    account: str = "shop"
    mode: str = "test"
    tolerance: dt.timedelta = dt.timedelta(minutes=5)
    timeout: dt.timedelta = dt.timedelta(seconds=10)
    not_found_after: dt.timedelta = dt.timedelta(minutes=1)
    max_pending: dt.timedelta = dt.timedelta(hours=1)
