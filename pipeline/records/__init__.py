"""What people decide, kept in a database: overrides, approvals, releases. Append-only, audited.

A change never rewrites a row: it adds a version. A night reads the overrides as known on its
business date and publishes the snapshot that it used. No pages and no planning logic here.
"""
