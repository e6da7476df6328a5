"""Published answers, and the reader that compares them with ours."""
