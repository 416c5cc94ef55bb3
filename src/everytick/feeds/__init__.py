"""Feeds: lists that are downloaded on a schedule, checked, compared and published.

An application of Everytick, not a part of it: nothing below imports this room. The one path through it
is ``refresh``; importing the room itself loads none of the heavy libraries.
"""
