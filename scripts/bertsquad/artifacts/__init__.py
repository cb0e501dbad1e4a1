"""What can be downloaded, and how it comes here: catalogue, download, lock, archive."""
