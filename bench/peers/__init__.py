"""Peers: schedulers of others and Everytick, the same work on the same servers in the same run.

make bench-peers
"""
