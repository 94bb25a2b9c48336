"""The interface (界面): shells, components and the few mechanisms that every page uses. No business words."""
