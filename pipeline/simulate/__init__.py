"""The simulator: a world that answers the nightly plan, policies to compare, scenarios and labs.

It calls the stages through `pipeline.stages`; how a plan is made does not belong here.
"""
