"""Placement: where stock that exists goes tonight, and which nodes receive tonight's orders.

Belongs here: what is where and on the way, the room that lanes and nodes have left, what serving
from a node saves. The flow itself is core.allocation, the split of order lines core.receiving.
"""
