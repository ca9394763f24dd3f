"""RDMs in files: `.npz` with a JSON header, without pickle."""
