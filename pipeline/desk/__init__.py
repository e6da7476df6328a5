"""The planner's desk: pages over published nights, and the records that people leave on them.

`app` joins the routes; a page is a module that turns a night's tables into what its template
shows. Planning logic does not belong here: the desk reads what the night published.
"""
