"""What tests stand on: servers started for them, a browser, and the count of what really ran."""
