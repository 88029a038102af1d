"""What the system promises while things break: its own servers and processes, killed and stopped in earnest."""
