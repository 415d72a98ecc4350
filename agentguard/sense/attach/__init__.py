"""Sensors for agents that already run: nothing is asked of the process that is watched."""
