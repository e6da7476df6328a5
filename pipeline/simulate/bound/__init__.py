"""What perfect information could have earned at most: the measure of every policy."""
