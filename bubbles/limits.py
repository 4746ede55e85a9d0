"""How much of what, how often, how long: each limit is a setting."""

import os

from pydantic import BaseModel, Field

MIB = 1024 * 1024


class Limits(BaseModel):
    """The limits among the settings, with tested defaults."""

    # Limits of a connection: as far as no proxy guards it
    head_max_bytes: int = Field(
        32 * 1024, ge=4096, le=MIB, description="Longest head of a request, its line and its headers, in bytes."
    )
    head_timeout_s: float = Field(
        20.0, gt=0, description="Seconds in which the head of a request arrives; an idle connection has as many."
    )
    body_timeout_s: float = Field(
        30.0, gt=0, description="Seconds in which a body under way brings what BUBBLES_BODY_RATE_MIN asks for."
    )
    body_rate_min: int = Field(100, ge=1, description="Least bytes a second of a body under way.")
    send_timeout_s: float = Field(
        120.0, gt=0, description="Seconds after which a connection ends that takes nothing of what it is sent."
    )
    connections_per_network: int = Field(
        200, ge=1, description="Connections that one network may have open; a trusted proxy may have any number."
    )

    # Limits
    duration_max_s: float = Field(120.0, gt=0, le=600, description="Longest bubble, in decoded seconds.")
    duration_tolerance_s: float = Field(0.5, ge=0, le=5, description="Seconds over the longest that pass.")
    duration_min_s: float = Field(0.3, ge=0, description="Shortest bubble, in decoded seconds.")
    request_max_bytes: int = Field(48 * MIB, ge=1024, description="Largest upload request, in bytes.")
    upload_timeout_s: int = Field(600, ge=10, description="Seconds that one upload may take.")
    uploads_per_hour: int = Field(60, ge=1, description="Uploads an account may try in an hour.")
    uploads_at_once: int = Field(4, ge=1, description="Uploads an account may have under way at once.")
    probes_at_once: int = Field(
        default_factory=lambda: os.cpu_count() or 1, ge=1, description="Recordings decoded at once; default: cores."
    )
    probe_timeout_s: float = Field(20.0, gt=0, description="Wall-clock seconds a recording's decoding may take.")
    probe_memory_mib: int = Field(512, ge=128, description="Memory a recording's decoding may take, in MiB.")
    silence_dbfs: float = Field(-60.0, lt=0, description="A recording with no tenth of a second above is silent.")
    sign_in_attempts_per_hour: int = Field(
        10, ge=1, description="Wrong passwords for one account in an hour, from one network."
    )
    account_attempts_per_hour: int = Field(
        100, ge=1, description="Wrong passwords for one account in an hour, from all networks together."
    )
    network_attempts_per_hour: int = Field(
        50, ge=1, description="Attempts to sign in that fail which one network may make in an hour."
    )
    known_browser_attempts_per_hour: int = Field(
        5, ge=1, description="Wrong passwords for one account in an hour, from a browser that it has signed in with."
    )
    sign_ins_per_hour: int = Field(
        60, ge=1, description="Right passwords of one account in an hour, and passwords that it may set."
    )
    sign_ups_per_hour: int = Field(10, ge=1, description="Accounts that one network may try to make in an hour.")
    invitations_per_day: int = Field(10, ge=0, description="Invitations that an account may make in a day.")
    query_timeout_s: float = Field(
        2.0,
        ge=0.1,
        le=30,
        description="Seconds that each statement of a search, list or map may take, and that one waits for its turn.",
    )
    queries_at_once: int = Field(
        4, ge=1, le=64, description="Searches, lists and maps that a web process answers at once; the others wait."
    )
    title_max: int = Field(200, ge=1, le=1000, description="Longest title, in characters.")
    tags_max: int = Field(10, ge=0, le=50, description="Most tags on a bubble.")
    tag_max: int = Field(50, ge=1, le=200, description="Longest tag, in characters.")
    failed_recording_days: int = Field(
        30, ge=1, description="Days that a recording is kept which nothing playable could be made from."
    )
    orphan_days: int = Field(
        7,
        ge=1,
        description="Days after which a blob that no row names is deleted; it may be all that is left of a row.",
    )
    visitors_per_network: int = Field(
        50,
        ge=1,
        description="New visitors of one bubble in a day that one network may bring (IPv4, IPv6 /48); those beyond are "
        "counted apart, as crowd.",
    )
    shared_networks: str = Field(
        "", description="Comma-separated networks that many people share: a campus, a company, a carrier's gateways."
    )
    visitors_per_shared_network: int = Field(
        2000, ge=1, description="As BUBBLES_VISITORS_PER_NETWORK, for each address that BUBBLES_SHARED_NETWORKS holds."
    )
    idempotency_days: int = Field(30, ge=1, description="Days that an Idempotency-Key is remembered.")
