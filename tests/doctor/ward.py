"""A healthy unit, as facts, on which each test spoils one thing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from agent.config.load import load_config
from agent.doctor import findings
from agent.doctor.facts import (
    AGENT,
    Access,
    Backlog,
    Commissioning,
    Configuration,
    Devices,
    Facts,
    Footage,
    Logins,
    Machine,
    Node,
    OwnCertificate,
    Service,
    Way,
)
from agent.doctor.own_units import OWN_UNITS
from agent.health.reading import Reading

if TYPE_CHECKING:
    from pathlib import Path

    from agent.config.settings import Config
    from agent.doctor.finding import Finding

NOW = datetime(2026, 11, 29, 2, 0, tzinfo=UTC)
BROKER = "mqtts://broker.example.org:8883"
UNIT = f"""\
profile: safe-point
unit: {{id: hk-001, org: ashfield, name: Central Walk, location: "North end, opposite Boots"}}
uplink: {{broker: "{BROKER}", ca_file: ca.pem, cert_file: cert.pem, key_file: key.pem}}
signage: {{operator: Ashfield District Council, contact: 01623 450000}}
"""


def config(folder: Path, more: str = "") -> Config:
    """The configuration of the healthy unit, with these lines behind it."""
    file = folder / "unit.yaml"
    file.write_text(UNIT + more, encoding="utf-8")
    return load_config(file, judge_files=False).config


def healthy(folder: Path, more: str = "") -> Facts:
    """A Safe Point on a Pi 4 with nothing wrong."""
    running = Service("loaded", "active", "running", "enabled", up_s=86_400.0, user="safepoint")
    services = {name: replace(running, active="inactive", enabled="static") for name in OWN_UNITS}
    services |= {name: running for name, starts in OWN_UNITS.items() if starts}
    return Facts(
        configuration=Configuration(folder / "unit.yaml", config(folder, more), shown="unit:\n  id: hk-001\n"),
        machine=Machine(NOW, synced=True, uptime_s=86_400.0, throttled=0, watchdog_s=15.0, versions={"agent": "1"}),
        services={**services, AGENT: running},
        ways=(Way("uplink.broker", BROKER),),
        certificate=OwnCertificate(
            folder / "cert.pem",
            folder / "key.pem",
            name="hk-001",
            not_before=NOW - timedelta(days=300),
            not_after=NOW + timedelta(days=65),
        ),
        broken_models=(),
        devices=Devices(
            "Raspberry Pi 4 Model B Rev 1.5",
            pins=(Node("/dev/gpiochip0", "gpio", 0o660),),
            sound=(Node("/dev/snd/pcmC1D0c", "audio", 0o660),),
            video=(Node("/dev/video0", "video", 0o660),),
            microphones=("USB Audio (hw:01-00)",),
            speakers=("USB Audio (hw:01-00)",),
            cameras=("imx708_wide",),
        ),
        access=Access("safepoint", known=True, groups=("audio", "gpio", "video"), state_owner="safepoint"),
        health={name: Reading({}) for name in ("clock", "memory", "power", "software", "storage", "thermal")},
        footage=Footage(
            status={
                "recording": True,
                "newest_frame_age_s": 0.2,
                "days_kept": 31.0,
                "kept_by": "age",
                "holds_damaged": None,
            }
        ),
        backlog=Backlog(),
        commissioning=Commissioning("passed", "This unit is commissioned.", all_tests=False),
        logins=Logins(ssh_passwords=False),
        journal=("2026-11-29T01:59:00+0000 hk-001 safepoint[400]: event=link_up broker=broker.example.org",),
    )


def only(facts: Facts) -> Finding:
    """The one thing that is wrong."""
    (finding,) = findings(facts)
    return finding


def faulty(facts: Facts, part: str, **faults: str) -> Facts:
    """The unit, with these faults of one health check."""
    return replace(facts, health={**(facts.health or {}), part: Reading({}, faults)})


def spoilt(facts: Facts, part: str, **changes: Any) -> Facts:  # noqa: ANN401 - whatever the part's values are
    """The unit, with these changes to one part."""
    changed: Any = replace(getattr(facts, part), **changes)
    replaced: dict[str, Any] = {part: changed}
    return replace(facts, **replaced)
