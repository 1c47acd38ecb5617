"""What the commands of the command line share, and commands that are long enough for a module."""
