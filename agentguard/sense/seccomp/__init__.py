"""The rootless file sensor: seccomp user notification over the agent's whole tree.

The agent is started under a filter that holds each read-capable open, each exec and each connect until
the supervisor, an ancestor, has looked at it and says CONTINUE. The opener is identified while it is
blocked, so its pid is exact however short it lives.
"""
