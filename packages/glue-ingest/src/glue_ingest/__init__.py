"""Fetch a published month of TLC trips over HTTP into the raw bucket."""
