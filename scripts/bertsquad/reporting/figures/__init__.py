"""One module a figure: data frames in, a matplotlib figure out."""
