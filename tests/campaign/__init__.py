"""Kills at random moments, of a seed, and the whole truth after each: `make campaign KILLS=200`.

world       a laptop with three environments, its sources, and what must be true of it
scenarios   what people do there, at which moments it is struck, and what must hold then
strike      start a command, wait for the moment, kill, and try again as a user would
truth       rows of the warehouse beside the generated source
deployed    bytes that an environment points at beside its release
remains     what a kill may leave behind: processes, objects, files, locks
campaign    one kill after another; `report` is the table

Every kill has a number, and everything about it is drawn from the seed and that number.
"""
