"""Classical inventory theory as a library: models with exact or published answers.

Arrays and dataclasses in, dataclasses out; no pandas, no files. One module for each model:
`demand` · `newsvendor` · `single_stage` (base-stock, (r, Q), (s, S)) · `serial` (Clark–Scarf) ·
`lost_sales*` · `dual_sourcing*` · `divergent` (one warehouse, many retailers) · `network`
(acyclic networks by simulation) · `pooling` (lateral transshipments) · `placement`.

What the rest of the planner computes is checked against these. Production code that plans a
night does not belong here.
"""
