"""A checkout becomes bytes and a manifest that names them; nothing is asked of AWS."""
