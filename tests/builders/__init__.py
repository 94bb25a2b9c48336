"""The world that tests are told in: built through services, with a fixed cast and a fixed clock."""
