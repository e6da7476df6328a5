"""What is asked: a scenario file and the changes that it declares."""
