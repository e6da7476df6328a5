"""Trials in a running company: design, assignment, verdict; and a world to rehearse them in."""
