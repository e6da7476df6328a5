"""What the tables and settings are: each column, table and setting is defined once, here.

Checks, Parquet schemas and the generated docs derive from these definitions. No data processing.
"""
