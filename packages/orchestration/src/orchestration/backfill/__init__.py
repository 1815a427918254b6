"""Many months of one pipeline: what is missing, what it would cost, running it, and showing how far it is.

plan         which months of a range are to be loaded, and which are not
cost         what that would cost on AWS
execution    the backfill's execution and those of its months
progress     how a followed backfill looks
"""
