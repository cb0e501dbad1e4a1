"""From measured files to a summary table, figures and one page to read."""
