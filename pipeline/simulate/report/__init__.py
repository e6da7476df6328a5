"""What is told of a run: its record by day, intervals, effects, drawings and the page."""
