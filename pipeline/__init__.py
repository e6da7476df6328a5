"""Echelon plans the inventory of a warehouse network every night: forecast, buy, place.

Map: `stages` lists the stages and the tables between them; `runner` runs them for a business
date; `store` reads and publishes tables; `contracts` defines every column, table and setting;
`core` is the mathematics; each stage has a package of its own name. Start at `runner.run_night`.
"""
