"""The officers' desk (工作台): start page and the addresses under /desk/."""
