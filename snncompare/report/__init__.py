"""`Result` and figures -> one self-contained HTML file."""
