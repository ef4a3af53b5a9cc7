"""How the columns of events are called: by those who define formats, and by everybody else."""

from __future__ import annotations

# Segment's common fields (segment.com/docs/connections/spec/common), read even where the first rows lack them.
SEGMENT_KEYS = (
    "type", "event", "name", "userId", "anonymousId", "previousId", "groupId", "messageId", "timestamp",
    "originalTimestamp", "sentAt", "receivedAt", "properties", "traits", "context",
)  # fmt: skip
SEGMENT_ROLES = {
    "event_id": "messageId", "person": "userId", "anonymous": "anonymousId", "event": "event", "time": "timestamp",
    "original_time": "originalTimestamp", "sent_at": "sentAt", "received_at": "receivedAt",
    "properties": "properties",
}  # fmt: skip
SEGMENT_TYPES = ("track", "page", "screen", "identify", "alias", "group")

POSTHOG_ROLES = {
    "event_id": ("uuid",), "person": ("distinct_id",), "event": ("event",), "time": ("timestamp",),
    "received_at": ("created_at", "_inserted_at", "inserted_at"), "properties": ("properties",),
}  # fmt: skip
POSTHOG_GROUPS = ("company", "organization", "account", "workspace")
# Calls that say who is who; they are nothing that somebody did with the product.
POSTHOG_CALLS = ("$identify", "$create_alias", "$merge_dangerously", "$groupidentify", "$set")

# The fields of an enriched event in their order (docs.snowplow.io, "Enriched TSV format").
SNOWPLOW_FIELDS = (
    "app_id", "platform", "etl_tstamp", "collector_tstamp", "dvce_created_tstamp", "event", "event_id",
    "txn_id", "name_tracker", "v_tracker", "v_collector", "v_etl", "user_id", "user_ipaddress",
    "user_fingerprint", "domain_userid", "domain_sessionidx", "network_userid", "geo_country", "geo_region",
    "geo_city", "geo_zipcode", "geo_latitude", "geo_longitude", "geo_region_name", "ip_isp", "ip_organization",
    "ip_domain", "ip_netspeed", "page_url", "page_title", "page_referrer", "page_urlscheme", "page_urlhost",
    "page_urlport", "page_urlpath", "page_urlquery", "page_urlfragment", "refr_urlscheme", "refr_urlhost",
    "refr_urlport", "refr_urlpath", "refr_urlquery", "refr_urlfragment", "refr_medium", "refr_source",
    "refr_term", "mkt_medium", "mkt_source", "mkt_term", "mkt_content", "mkt_campaign", "contexts",
    "se_category", "se_action", "se_label", "se_property", "se_value", "unstruct_event", "tr_orderid",
    "tr_affiliation", "tr_total", "tr_tax", "tr_shipping", "tr_city", "tr_state", "tr_country", "ti_orderid",
    "ti_sku", "ti_name", "ti_category", "ti_price", "ti_quantity", "pp_xoffset_min", "pp_xoffset_max",
    "pp_yoffset_min", "pp_yoffset_max", "useragent", "br_name", "br_family", "br_version", "br_type",
    "br_renderengine", "br_lang", "br_features_pdf", "br_features_flash", "br_features_java",
    "br_features_director", "br_features_quicktime", "br_features_realplayer", "br_features_windowsmedia",
    "br_features_gears", "br_features_silverlight", "br_cookies", "br_colordepth", "br_viewwidth",
    "br_viewheight", "os_name", "os_family", "os_manufacturer", "os_timezone", "dvce_type", "dvce_ismobile",
    "dvce_screenwidth", "dvce_screenheight", "doc_charset", "doc_width", "doc_height", "tr_currency",
    "tr_total_base", "tr_tax_base", "tr_shipping_base", "ti_currency", "ti_price_base", "base_currency",
    "geo_timezone", "mkt_clickid", "mkt_network", "etl_tags", "dvce_sent_tstamp", "refr_domain_userid",
    "refr_device_tstamp", "derived_contexts", "domain_sessionid", "derived_tstamp", "event_vendor",
    "event_name", "event_format", "event_version", "event_fingerprint", "true_tstamp",
)  # fmt: skip
SNOWPLOW_ROLES = {
    "event_id": ("event_id",), "person": ("user_id",), "anonymous": ("domain_userid", "network_userid"),
    "event": ("event_name", "event"), "time": ("derived_tstamp", "true_tstamp"),
    "original_time": ("dvce_created_tstamp",), "sent_at": ("dvce_sent_tstamp",),
    "received_at": ("collector_tstamp",),
}  # fmt: skip
SNOWPLOW_PROPERTIES = (
    "app_id", "platform", "page_urlpath", "page_title", "refr_medium", "refr_source", "mkt_source", "mkt_medium",
    "mkt_campaign", "se_category", "se_label", "se_property", "se_value", "geo_country", "os_name", "dvce_type",
    "br_name", "domain_sessionid",
)  # fmt: skip

# What columns of plain files are called, the likeliest first; names are compared in snake case.
PLAIN_NAMES: dict[str, tuple[str, ...]] = {
    "event_id": ("event_id", "message_id", "insert_id", "event_uuid", "uuid", "event_key", "id"),
    "person": (
        "user_id", "distinct_id", "person", "person_id", "user", "customer_id", "member_id", "actor_id", "actor",
        "profile_id", "contact_id", "visitor_id", "client_id", "user_pseudo_id", "email", "who",
    ),
    "anonymous": ("anonymous_id", "device_id", "visitor_id", "client_id", "user_pseudo_id", "cookie_id"),
    "account": (
        "account_id", "account", "account_key", "organization_id", "organisation_id", "org_id", "company_id",
        "group_id", "workspace_id", "tenant_id", "organization", "company", "workspace", "tenant",
    ),
    "event": ("event", "event_name", "event_type", "action", "activity", "verb", "event_text", "name", "type"),
    "time": (
        "occurred_at", "timestamp", "event_time", "event_timestamp", "happened_at", "time", "ts", "datetime",
        "created_at", "event_date", "date", "day", "when",
    ),
    "original_time": ("original_timestamp", "client_event_time", "device_time"),
    "sent_at": ("sent_at", "client_upload_time"),
    "received_at": ("received_at", "server_received_time", "server_upload_time", "ingested_at", "loaded_at"),
    "properties": ("properties", "event_properties", "props", "attributes", "payload", "params", "data"),
}  # fmt: skip

# Ids that no person has: faulty code sends them, and merging by them would make one person of everybody.
NOBODY = (
    "0", "-1", "anonymous", "distinctid", "distinct_id", "email", "false", "guest", "id", "nan", "nil", "none",
    "not_authenticated", "null", "true", "undefined", "unknown", "[object object]",
)  # fmt: skip
