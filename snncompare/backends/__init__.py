"""Who runs a network: one folder per simulator, found through entry points."""
