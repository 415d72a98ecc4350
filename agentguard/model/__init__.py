"""Frozen facts that travel through the house: sense → attribute → detect → judge → record → show.

Only data and the words for it. Nothing here reads a file, a clock or another stage.
"""
