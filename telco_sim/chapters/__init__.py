"""The chapters of the story that the simulation plays.

Each module owns one chapter: what happens in it, and what a correct service must answer. None
knows what happens in another; `telco_sim.scenarios` puts them in order.
"""
