"""What this machine is and can do: processor, limits, memory, kernel, software."""
