"""Systems whose answers are known, run in the world's own kernel, so that the world is right."""
