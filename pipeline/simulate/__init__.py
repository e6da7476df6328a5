"""The simulator: a world that answers the nightly plan, policies to compare, scenarios and labs.

Read `stage.run_scenario` (what is compared), then `loop.run_policy` (a night, a day, the next
night), then `world.day.World.live` (the day itself). Rooms: `world` is what happens, `rivals` what
is decided, `bound` what perfect information could earn, `scenarios` what is asked, `report` what
is told, `labs` trials in a running company, `textbook` systems with known answers. It calls the
stages through `pipeline.runner`; how a plan is made does not belong here.
"""
