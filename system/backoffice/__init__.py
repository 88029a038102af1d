"""What the back-office pages of all applications share."""
