"""D. Notices: believes what anybody says."""

import datetime as dt
import json
import socket
from typing import Any

import attrs

from eckit import (
    ForgedNotice,
    RawRequest,
    Snapshot,
    VerifiedNotice,
)
from eckit.payment import Opened
from eckit_sandbox.provider.notices import SIGNATURE, sign
from tests.testing.bad.doubt import BadDoubt


class BadNotices(BadDoubt):
    """Believes what anybody says."""

    def open_webhook(self, raw: RawRequest, now: dt.datetime) -> Opened:
        header = raw.headers.get(SIGNATURE.lower())
        if self._is("D.asks_while_opening"):
            socket.create_connection(("127.0.0.1", int(self._settings.base_url.rpartition(":")[2])), timeout=5).close()
        if header is not None and not header.isascii() and self._is("D.foreign_header_crashes"):
            header.encode("ascii")
        if header is None and self._is("D.trusts_unsigned"):
            raw = self._signed_by_us(raw, now)
        elif header is not None and header != header.lower() and self._is("D.upper_case_mac"):
            raw = attrs.evolve(raw, headers={**raw.headers, SIGNATURE.lower(): header.lower()})
        opened = super().open_webhook(raw, now)
        if isinstance(opened, ForgedNotice):
            return self._forged(raw, now, opened)
        return self._told(self._pushed(opened))

    def _pushed(self, opened: tuple[Any, ...]) -> Any:
        readable = tuple(one for one in opened if isinstance(one, VerifiedNotice))
        if len(opened) == len(readable) or len(opened) == 1:
            return opened
        if self._is("D.one_bad_record_spoils_the_push"):
            return ForgedNotice(why="malformed")
        return readable if self._is("D.bad_record_is_dropped") else opened

    def _forged(self, raw: RawRequest, now: dt.datetime, forged: ForgedNotice) -> Opened:
        if forged.why == "stale" and self._is("D.stale_is_fine"):
            return super().open_webhook(raw, self._time_of(raw))
        if forged.why == "signature" and self._is("D.any_signature"):
            return super().open_webhook(self._signed_by_us(raw, now), now)
        if forged.why == "signature" and self._is("D.signs_parsed_content"):
            return self._parsed(raw, now, forged)
        if forged.why == "malformed" and raw.body[:20] == b"[" * 20 and self._is("D.deep_nesting_crashes"):
            json.loads(raw.body)
        return forged

    def _parsed(self, raw: RawRequest, now: dt.datetime, forged: ForgedNotice) -> Opened:
        try:
            body = json.dumps(json.loads(raw.body), separators=(",", ":")).encode()
        except ValueError:
            return forged
        return super().open_webhook(attrs.evolve(raw, body=body), now)

    def _signed(self, at: int, raw: RawRequest) -> bool:
        given = raw.headers[SIGNATURE.lower()]
        right = any(given == sign(key.reveal(), at, raw.body) for key in self._notify_keys())
        if not right and self._is("D.compares_plainly"):
            return False
        return super()._signed(at, raw)

    def _signed_by_us(self, raw: RawRequest, now: dt.datetime) -> RawRequest:
        assert self._settings.notify_secret is not None
        header = sign(self._settings.notify_secret.reveal(), int(now.timestamp()), raw.body)
        return attrs.evolve(raw, headers={**raw.headers, SIGNATURE.lower(): header})

    @staticmethod
    def _time_of(raw: RawRequest) -> dt.datetime:
        stamp = raw.headers[SIGNATURE.lower()].partition(",")[0].removeprefix("t=")
        return dt.datetime.fromtimestamp(int(stamp), dt.UTC)

    def _told(self, opened: Any) -> Opened:
        if isinstance(opened, ForgedNotice):
            return opened
        return tuple(self._notice_told(one) if isinstance(one, VerifiedNotice) else one for one in opened)

    def _notice_told(self, one: VerifiedNotice) -> VerifiedNotice:
        told = attrs.evolve(one, snapshot=self._snapshot_told(one.event_key, one.snapshot))
        if len(one.snapshot.movements) > 1 and self._is("D.one_event_per_payment"):
            return attrs.evolve(told, event_key=one.snapshot.begin_reference)
        return told

    def _snapshot_told(self, event_key: str, snapshot: Snapshot) -> Snapshot:
        settings = self._settings
        if snapshot.account != settings.account and self._is("D.any_account"):
            snapshot = attrs.evolve(snapshot, account=settings.account)
        if snapshot.mode != settings.mode and self._is("D.any_mode"):
            snapshot = attrs.evolve(snapshot, mode=settings.mode)
        if self._is("D.event_is_the_movement"):
            movements = (
                attrs.evolve(one, movement_ref=f"{event_key}.{one.movement_ref}") for one in snapshot.movements
            )
            snapshot = attrs.evolve(snapshot, movements=tuple(movements))
        return snapshot
