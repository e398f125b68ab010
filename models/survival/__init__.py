"""How long products have: exposure, hazard, lifelines, and how well such forecasts did.

tables -> design -> fit -> future -> predict -> explain; `stage.derive` runs them all for one day.
"""
