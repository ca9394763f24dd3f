"""One module per verb of the command line: validated configuration in, files out."""
