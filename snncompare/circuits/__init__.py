"""Ready networks, built only from the public description."""
