"""How Echelon lives in Airflow: the timetable, the task bodies, the report page, a local server.

timetable.py  one run for each business date     tasks.py   what each task of a DAG does
plugin.py     what Airflow loads at its start    report.py  its page behind Airflow's log-in
home.py       settings and secrets of a local Airflow
night.py      `make night`: one night without any server
server.py     `make airflow`: scheduler, UI and API on this machine

No planning here: a task calls pipeline.runner, as the command line does.
"""
