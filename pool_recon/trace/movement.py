"""Why a movement is in the state that it is in."""

from __future__ import annotations

from pathlib import Path

from pool_recon.trace.lookup import locate
from pool_recon.trace.packet import MOVEMENT_LIMIT, Records, movement_packets, unknown_id
from pool_recon.trace.reader import SCHEMA_VERSION, Missing, Packet, Reader, Row, reading, wanted_id


def explain_movement(warehouse: Path, wanted: str, partner: str | None = None) -> Packet | Missing:
    """For the movements of an id: the conditions of the state rule with the values they saw.

    Conditions are asked in turn, and the first that holds decides. With them come the steps from
    a trade's own status to its effective one, and every finding on the movement.

    Raises:
        CloseError: the id is empty, there is no warehouse, or no close has built it.
    """
    wanted = wanted_id(wanted)
    with reading(warehouse, partner) as reader:
        hits, found = locate(reader, wanted)
        if not found and hits.has_any:
            return Missing(f"{wanted} is on no movement: 'pool-recon trace' shows what carries it")
        if not found:
            return unknown_id(reader, wanted)
        terminal = {
            row["status"]
            for row in reader.rows(
                "select status from reference.ref_trade_states where is_terminal"
            )
        }
        classes = {
            row["product_state"]: row["state_class"]
            for row in reader.rows("select * from reference.ref_product_states")
        }
        packets = movement_packets(reader, Records(reader), found[:MOVEMENT_LIMIT])
        return {
            "schema_version": SCHEMA_VERSION,
            "id": wanted,
            "partner_filter": partner,
            "close_date": reader.close_date.isoformat(),
            "movement_count": len(found),
            "movements": [
                {
                    **{
                        name: packet[name]
                        for name in (
                            *("movement_id", "movement_type", "matched_as"),
                            "reconciliation_state",
                        )
                    },
                    "state_rule": _state_rule(reader, movement, packet, terminal, classes),
                    "status_steps": _status_steps(reader, movement, packet),
                    "findings": packet["findings"],
                }
                for movement, packet in zip(found, packets, strict=False)
            ],
        }


def _state_rule(
    reader: Reader, movement: Row, packet: Packet, terminal: set[str], classes: dict[str, str]
) -> list[Packet]:
    links = reader.rows(
        "select code, approval from intermediate.int_movement_findings "
        "where movement_id = $id and movement_type = $type and is_blocking order by code",
        id=movement["movement_id"],
        type=movement["movement_type"],
    )
    unapproved = [link["code"] for link in links if link["approval"] != "approved"]
    approved = [link["code"] for link in links if link["approval"] == "approved"]
    state_class = classes.get(movement["product_state"] or "")
    has_lapsed = movement["transact_id"] is None and (
        (movement["quote_status"] in ("expired", "rejected") and movement["accepted_at"] is None)
        or state_class in ("failed", "abandoned")
    )
    conditions = [
        ("exception", "a blocking finding is not approved", unapproved, {"findings": unapproved}),
        ("approved", "blocking findings, all approved", approved, {"findings": approved}),
        (
            "matched",
            "the effective status is terminal",
            movement["effective_status"] in terminal,
            {"effective status": movement["effective_status"]},
        ),
        (
            "lapsed",
            "no trade, and the quote lapsed unaccepted or the order failed or was abandoned",
            has_lapsed,
            {
                "trade": movement["transact_id"],
                "quote": packet["quote_status"],
                "accepted": packet["accepted_at"],
                "product state": packet["product_state"],
                "of class": state_class if packet["product_state"] else None,
            },
        ),
        ("open", "none of the above", True, {}),
    ]
    rule: list[Packet] = []
    is_decided = False
    for state, condition, holds, values in conditions:
        holds = bool(holds) and not (state == "open" and is_decided)
        rule.append(
            {
                "state": state,
                "condition": condition,
                "holds": holds,
                "decides": holds and not is_decided,
                "values": values,
            }
        )
        is_decided = is_decided or holds
    return rule


def _status_steps(reader: Reader, movement: Row, packet: Packet) -> list[Packet]:
    """From the trade's own status over its trusted confirmations, step by legal step."""
    status = movement["trade_status"]
    if status is None:
        return []
    legal = {
        (row["from_status"], row["to_status"])
        for row in reader.rows("select * from reference.ref_trade_transitions")
    }
    steps = [_step(None, "trade", movement["transact_id"], status, "its own status")]
    events = [
        step
        for step in packet["timeline"]
        if step["record_type"] == "event" and step["details"]["is_trusted"] is not None
    ]
    for event in sorted(events, key=lambda step: (step["at"].rstrip("Z"), step["record_id"])):
        to = event["details"]["status"]
        if not event["details"]["is_trusted"]:
            outcome = "not trusted"
        elif (status, to) in legal:
            outcome, status = f"{status} to {to}", to
        elif status == to:
            outcome = "as it was"
        else:
            outcome = f"no legal step from {status}"
        steps.append(_step(event["at"], event["step"], event["record_id"], to, outcome))
    return steps


def _step(at: str | None, source: str, record_id: str, status: str, outcome: str) -> Packet:
    return {
        "at": at,
        "source": source,
        "record_id": record_id,
        "status": status,
        "outcome": outcome,
    }
