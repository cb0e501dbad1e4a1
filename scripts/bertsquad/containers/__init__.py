"""Running steps in a container: what it is given, how it ends, and which image it was."""
