"""Decides how goods travel: delivery options with reasons, shipments as planned, parcels as sent and delivered.

A carrier that fails is left out and its failure goes with the answer; what was handed over is a fact.
"""

from eckit.shipping.errors import NotReadyToShipError, NumberRefusedError, TrackingNumberTakenError
from eckit.shipping.model import (
    Carrier,
    CarrierSpec,
    Fare,
    FareChange,
    FarePart,
    FareRequest,
    Parcel,
    ParcelDelivered,
    ParcelHandedOver,
    ParcelItem,
    ParcelPlan,
    ParcelTracked,
    QuotesFares,
    ReadsNumbers,
    Refusal,
    ServiceSpec,
    Shipment,
    ShipmentLine,
    ShipmentMove,
    ShipmentReady,
    ShipmentState,
    Tracking,
)

__all__ = [
    "Carrier",
    "CarrierSpec",
    "Fare",
    "FareChange",
    "FarePart",
    "FareRequest",
    "NotReadyToShipError",
    "NumberRefusedError",
    "Parcel",
    "ParcelDelivered",
    "ParcelHandedOver",
    "ParcelItem",
    "ParcelPlan",
    "ParcelTracked",
    "QuotesFares",
    "ReadsNumbers",
    "Refusal",
    "ServiceSpec",
    "Shipment",
    "ShipmentLine",
    "ShipmentMove",
    "ShipmentReady",
    "ShipmentState",
    "Tracking",
    "TrackingNumberTakenError",
]
