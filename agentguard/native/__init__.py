"""C, and how it is compiled: the hot loop of the seccomp sensor, and the gate that is preloaded into the agent's tree.

Both are optional. Neither needs Python's headers: they are plain shared libraries, loaded by ctypes and by ld.so.
"""
