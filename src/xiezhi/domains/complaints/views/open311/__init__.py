"""Open311 GeoReport v2: what other people's clients and city-wide apps may ask and send. XML unless JSON is asked for; UTF-8; ISO 8601 with zone."""
