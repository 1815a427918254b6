"""Objects as files, and what is known about them."""
