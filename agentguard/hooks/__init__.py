"""The git gate: hooks that stop a commit or a push that would bring in a credential.

A commit waits for what is imported here: nothing heavy may be (a test holds the list).
"""
